"""Archives and databases are read whole: what is cut off, joined, encrypted or not finished is said, never skipped."""

import gzip
import io
import sqlite3
import tarfile
import zipfile

import ase
import ase.db
import pytest
from pymatgen.core import Lattice, Structure

from phase2.config.schema import DataConfig
from phase2.data.crystals.readers import archive_left_out, read_records
from phase2.data.left_out import notes_on_left_out
from phase2.data.sources.registry import open_source
from phase2.errors import DataError

STRUCTURE = Structure(Lattice.cubic(4.0), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
CIF = STRUCTURE.to(fmt="cif").encode()
BLOCK = 512 + -(-len(CIF) // 512) * 512


def tar(*members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.LNKTYPE, content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zipped(*members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


THREE = tar(("a.cif", CIF), ("b.cif", CIF), ("c.cif", CIF))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "content",
    [
        THREE[: 2 * BLOCK],
        THREE[: 2 * BLOCK + 100],
        THREE[: 2 * BLOCK + 600],
        THREE[: 2 * BLOCK] + b"U" * 512 + THREE[2 * BLOCK + 512 :],
        THREE + tar(("d.cif", CIF)),
        tar(("a.cif", CIF), ("b.cif", CIF + b"# " * 300_000))[:200_000],
    ],
)
def test_a_tar_that_is_not_whole_is_an_error(tmp_path, pack, content):
    (tmp_path / "a.tar").write_bytes(pack(content))
    with pytest.raises(DataError, match=r"cut off|end of data|more follows"):
        list(read_records(tmp_path / "a.tar"))


def test_a_whole_tar_is_read(tmp_path):
    for content in (
        THREE,
        THREE.rstrip(b"\0") + b"\0" * (512 - len(THREE.rstrip(b"\0")) % 512) + b"\0" * 512,
        THREE + b"\0" * 99_999,
    ):
        (tmp_path / "a.tar").write_bytes(content)
        assert [name for name, _ in read_records(tmp_path / "a.tar")] == ["a.cif", "b.cif", "c.cif"]


def test_an_encrypted_zip_says_so(tmp_path):
    content = bytearray(zipped(("a.cif", CIF)))
    content[6] |= 1
    content[content.find(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"'?a\.cif'? is encrypted\. Unpack it first"):
        list(read_records(tmp_path / "a.zip"))


@pytest.mark.parametrize("pack", [tar, zipped])
def test_a_member_that_cannot_be_read_costs_itself(tmp_path, pack):
    bad = (("b.json", b"[1"), ("c.cif.gz", gzip.compress(CIF)[:40]), ("d.db", b"SQLite"), ("e.parquet", b"PAR1"))
    path = tmp_path / ("a.tar" if pack is tar else "a.zip")
    path.write_bytes(pack(("a.cif", CIF), *bad, ("z.cif", CIF)))
    records = list(open_source(str(path)).records())
    assert [raw.id for raw in records if not raw.defect] == ["a.cif", "z.cif"]
    assert {raw.id.partition("#")[0] for raw in records if raw.defect} == {name for name, _ in bad}


def test_what_is_left_out_of_an_archive_is_named(tmp_path, caplog):
    path = tmp_path / "poscars.tar"
    path.write_bytes(tar(("a.cif", CIF), ("b.cif", "a.cif"), ("targets.csv", b"id\n"), ("__MACOSX/._a.cif", b"\0")))
    assert archive_left_out(path) == {
        "no structure by name": ["targets.csv"],
        "a link of an archive, which is not followed": ["b.cif"],
    }
    assert [name for name, _ in read_records(path)] == ["a.cif"]
    assert "targets.csv" in caplog.text
    assert "1 files not taken (a link of an archive, which is not followed): b.cif" in caplog.text
    assert len(notes_on_left_out(DataConfig(source=str(path)))) == 2


@pytest.fixture
def database(tmp_path):
    atoms = ase.Atoms(["Na"], positions=[[0, 0, 0]], cell=[4, 4, 4], pbc=True)
    with ase.db.connect(tmp_path / "a.db") as found:
        for gap in (0.5, 1.5):
            found.write(atoms, band_gap=gap, name="Na")
    return tmp_path / "a.db"


def test_of_rows_that_share_a_name_the_later_ones_have_their_numbers(database):
    assert [raw.id for raw in open_source(str(database)).records() if not raw.defect] == ["Na", "2"]


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_database_whose_last_rows_are_beside_it_is_refused(database, mode):
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute(f"PRAGMA journal_mode={mode}")
    writer.execute("PRAGMA cache_size=1")
    writer.execute("BEGIN")
    writer.execute("CREATE TABLE more (content)")
    writer.executemany("INSERT INTO more VALUES (?)", [(b"x" * 4_000,)] * 99)
    if mode == "wal":
        writer.execute("COMMIT")
    with pytest.raises(DataError, match=f"not complete.*a.db-{'wal' if mode == 'wal' else 'journal'}"):
        list(open_source(str(database)).records())
    if mode == "delete":
        writer.execute("ROLLBACK")
    writer.close()
    assert len(list(open_source(str(database)).records())) == 2


def test_an_empty_database_has_no_structures(tmp_path):
    (tmp_path / "a.db").write_bytes(b"")
    with pytest.raises(DataError, match="no table of structures"):
        list(open_source(str(tmp_path / "a.db")).records())
