"""Every format that people have is read: one crystal in all of them, with its labels, compressed and in archives."""

import bz2
import contextlib
import gzip
import io
import json
import lzma
import math
import os
import pickle
import tarfile
import zipfile
from decimal import Decimal

import ase.db
import ase.io
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pymatgen.core import Lattice, Structure

from phase2.config.limits import ReadingLimits
from phase2.config.schema import GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.readers import is_structure_file, is_structure_name, read_structure
from phase2.data.sources.file_source import FileSource
from phase2.data.sources.registry import open_source
from phase2.errors import DataError, InvalidCrystalError, LimitExceededError
from phase2.prediction.reading.graph_reader import GraphReader, ReadGraph
from phase2.properties import KEYS
from phase2.testing.crystals import assert_same_crystal

LATTICE = [[4.0, 0.0, 0.0], [0.5, 5.0, 0.0], [0.25, 0.75, 6.0]]
FRAC = [[0.0, 0.0, 0.0], [0.5, 0.25, 0.125]]
SALT = Crystal.checked("x", ["Na", "Cl"], FRAC, LATTICE)
STRUCTURE = Structure(Lattice(LATTICE), ["Na", "Cl"], FRAC)
POSCAR = STRUCTURE.to(fmt="poscar")
CIF = STRUCTURE.to(fmt="cif")
DOCUMENT = STRUCTURE.as_dict()
JARVIS = {"lattice_mat": LATTICE, "coords": FRAC, "elements": ["Na", "Cl"], "cartesian": False}
OPTIMADE = {
    "lattice_vectors": LATTICE,
    "cartesian_site_positions": SALT.cartesian.tolist(),
    "species_at_sites": ["kation", "Cl"],
    "species": [
        {"name": "kation", "chemical_symbols": ["Na"], "concentration": [1.0]},
        {"name": "Cl", "chemical_symbols": ["Cl"], "concentration": [1.0]},
    ],
    "dimension_types": [1, 1, 1],
}
ASE_ROW = {
    "cell": {"array": {"__ndarray__": [[3, 3], "float64", [4.0, 0, 0, 0.5, 5.0, 0, 0.25, 0.75, 6.0]]}},
    "numbers": {"__ndarray__": [[2], "int64", [11, 17]]},
    "positions": SALT.cartesian.tolist(),
    "key_value_pairs": {"band_gap": 2.5},
}
FRAME = (
    '2\nLattice="4 0 0 0.5 5 0 0.25 0.75 6" Properties=species:S:1:pos:R:3 id={name} band_gap={gap} pbc="T T T"\n'
    + "".join(f"{s} {x!r} {y!r} {z!r}\n" for s, (x, y, z) in zip(["Na", "Cl"], SALT.cartesian.tolist(), strict=True))
)
XDATCAR = (
    POSCAR.split("direct")[0]
    + "Direct configuration=     1\n0 0 0\n0.1 0.1 0.1\n"
    + ("Direct configuration=     2\n0 0 0\n0.5 0.25 0.125\n")
)


def labelled(path, **options):
    """Read a data set as workers do: from pickles of the source and of its records."""
    source = open_source(str(path), **options)
    parse = pickle.loads(pickle.dumps(source.parse))
    found = {}
    for raw in pickle.loads(pickle.dumps(list(source.records()))):
        parsed = parse(raw)
        values = dict(zip(KEYS, parsed.targets, strict=True))
        found[raw.id] = parsed.crystal, {key: value for key, value in values.items() if not math.isnan(value)}
    return found


def write(path, content):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    "name",
    [
        "a.cif", "A.CIF", "a.mcif", "a.cif.gz", "POSCAR", "POSCAR_1", "POSCAR-001", "NaCl_POSCAR", "NaCl.POSCAR.gz",
        "POSCAR.gz", "CONTCAR.bz2", "x.vasp", "x.poscar.xz", "a.contcar", "XDATCAR", "run_XDATCAR", "x.extxyz",
        "x.json", "x.jsonl.gz", "x.ndjson", "x.parquet", "x.db", "x.zip", "x.tar.gz", "x.tgz", "x.tar.xz",
    ],
)  # fmt: skip
def test_names_of_structure_files(name):
    assert is_structure_name(name)


@pytest.mark.parametrize("name", ["a.csv", "README", "a.xyz", "OUTCAR", "POSCAR.csv", "a.cif.bak", "a.pt", "cif"])
def test_other_names_are_none(tmp_path, name):
    assert not is_structure_name(name)
    assert not is_structure_file(write(tmp_path / name, "some words\n1.0\nand more\n"))


@pytest.mark.parametrize("content", [POSCAR, CIF, XDATCAR, FRAME.format(name="a", gap=1)])
@pytest.mark.parametrize("name", ["JVASP-1002", "structure.txt", "a.xyz", "b.gz"])
def test_content_tells_what_a_name_does_not(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    assert is_structure_file(path)
    assert read_structure(path).formula == "ClNa"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize(("name", "text"), [("a.cif", CIF), ("POSCAR", POSCAR), ("XDATCAR", XDATCAR)])
def test_one_structure_compressed_or_not(tmp_path, pack, name, text):
    path = tmp_path / name
    path.write_bytes(pack(text.encode()))
    again = read_structure(path)
    assert again.id == name
    np.testing.assert_allclose(again.to_pymatgen().distance_matrix, STRUCTURE.distance_matrix, atol=1e-6)


def test_an_xdatcar_of_a_variable_cell_has_the_last_header(tmp_path):
    first = POSCAR.replace("4.0", "9.0").split("direct")[0]
    path = write(tmp_path / "XDATCAR", first + "Direct configuration=     1\n0 0 0\n0.1 0.1 0.1\n" + XDATCAR)
    assert read_structure(path).volume == pytest.approx(SALT.volume)


JSON = {
    "pymatgen": DOCUMENT,
    "materials project": {"material_id": "mp-1", "nsites": 2, "structure": DOCUMENT},
    "entry": {"@class": "ComputedStructureEntry", "structure": DOCUMENT, "energy": -5.0, "entry_id": "e-1", "data": {}},
    "one other key": {"relaxed": DOCUMENT, "x": 1},
    "jarvis": {"jid": "JVASP-1", "atoms": JARVIS},
    "jarvis atoms": JARVIS,
    "optimade one": {"meta": {}, "data": {"id": "mp-1", "type": "structures", "attributes": OPTIMADE}},
    "optimade many": {"links": {"next": None}, "data": [{"id": "mp-1", "attributes": OPTIMADE}], "meta": {}},
    "ase": {"1": ASE_ROW, "ids": [1], "nextid": 2},
    "list": [DOCUMENT],
    "mapping": {"mp-1": DOCUMENT},
    "mapping of records": {"mp-1": {"structure": DOCUMENT, "band_gap": 1.0}},
    "pandas split": {"index": [0], "columns": ["structure", "gap pbe"], "data": [[DOCUMENT, 1.0]]},
    "pandas split, index last": {"columns": ["structure", "gap pbe"], "data": [[DOCUMENT, 1.0]], "index": [0]},
    "pandas records": [{"structure": DOCUMENT, "gap pbe": 1.0}],
    "pandas table": {"schema": {"fields": []}, "data": [{"index": 0, "structure": DOCUMENT}]},
    "pandas by columns": {"gap pbe": {"0": 1.0}, "structure": {"0": DOCUMENT}},
    "pandas by columns, structures first": {"structure": {"0": DOCUMENT}, "gap pbe": {"0": 1.0}},
    "text of a CIF": [{"cif": CIF, "e_above_hull": 0.1}],
    "text of a POSCAR": {"poscar": POSCAR},
}


@pytest.mark.parametrize("kind", JSON)
def test_json_of_every_kind(tmp_path, kind):
    path = write(tmp_path / "a.json", JSON[kind])
    crystal = read_structure(path, "x")
    np.testing.assert_allclose(crystal.to_pymatgen().distance_matrix, STRUCTURE.distance_matrix, atol=1e-6)
    if "text" not in kind:
        assert_same_crystal(crystal, SALT)
    ((_, (again, _)),) = labelled(path).items()
    np.testing.assert_array_equal(again.frac, crystal.frac)
    lines = write(tmp_path / "a.jsonl", "\n".join(json.dumps(one) for one in (DOCUMENT, {"atoms": JARVIS})))
    assert len(labelled(lines)) == 2


@pytest.mark.parametrize(
    ("record", "labels"),
    [
        ({"formation_energy_per_atom": -1.5, "band_gap": 2.0}, {"formation_energy": -1.5, "band_gap": 2.0}),
        ({"bulk_modulus": {"voigt": 50.0, "reuss": 40.0, "vrh": 45.0}}, {"bulk_modulus": 50.0}),
        ({"shear_modulus": {"vrh": 45.0}, "energy_above_hull": 0.25}, {"shear_modulus": 45.0, "ehull": 0.25}),
        ({"gap pbe": 1.5}, {"band_gap": 1.5}),
        ({"log10(K_VRH)": 2.0, "log10(G_VRH)": 1.0}, {"bulk_modulus": 100.0, "shear_modulus": 10.0}),
        ({"log10(K_VRH)": "2.0", "log10(G_VRH)": "n/a"}, {"bulk_modulus": 100.0}),
        ({"log10(K_VRH)": -math.inf, "log10(G_VRH)": 1}, {"shear_modulus": 10.0}),
        ({"data": {"e_above_hull": 0.125}}, {"ehull": 0.125}),
        ({"attributes": {"_jarvis_mbj_bandgap": 1.5}}, {"band_gap_mbj": 1.5}),
        ({"attributes": {"_oqmd_delta_e": -2}}, {"formation_energy": -2}),
        ({"band_gap": 1.0, "gap pbe": 9.0}, {"band_gap": 1.0}),
        ({"e_form": 1.0, "energy": 2.0, "e_total": 3.0}, {}),
    ],
)  # fmt: skip
def test_known_columns_become_labels(tmp_path, record, labels):
    path = write(tmp_path / "a.json", [{**record, "structure": DOCUMENT}])
    assert labelled(path)["record-0"][1] == labels


def test_a_label_that_is_an_unknown_object_is_refused(tmp_path):
    path = write(tmp_path / "a.json", [{"bulk_modulus": {"mean": 5}, "structure": DOCUMENT}])
    with pytest.raises(InvalidCrystalError, match="bulk_modulus_kv"):
        labelled(path)
    for text in ("2 GPa", "2_0"):
        path = write(tmp_path / "a.json", [{"log10(K_VRH)": text, "structure": DOCUMENT}])
        with pytest.raises(InvalidCrystalError, match=text):
            labelled(path)


def test_a_logarithm_in_decimal_digits_is_one_too(tmp_path):
    rows = [{"id": "a", "log10(K_VRH)": Decimal("2.00"), "atoms": JARVIS}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert labelled(tmp_path / "a.parquet")["a"][1] == {"bulk_modulus": 100.0}


def test_matminers_names_are_the_index(tmp_path):
    content = {"index": ["mb-1", "mb-2"], "columns": ["structure"], "data": [[DOCUMENT], [DOCUMENT]]}
    assert list(labelled(write(tmp_path / "a.json", content))) == ["mb-1", "mb-2"]


def frames(count=2):
    return "".join(FRAME.format(name=f"f{k}", gap=k + 0.5) for k in range(count))


@pytest.fixture
def many(tmp_path):
    """One file of each format with the structures f0 and f1 and their band gaps."""
    write(tmp_path / "a.extxyz", frames())
    atoms = ase.Atoms(["Na", "Cl"], scaled_positions=FRAC, cell=LATTICE, pbc=True)
    with ase.db.connect(tmp_path / "a.db") as database:
        for k in range(2):
            database.write(atoms, band_gap=k + 0.5, data={"id": f"f{k}"})
    rows = [{"id": f"f{k}", "band_gap": k + 0.5, "atoms": JARVIS} for k in range(2)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    write(tmp_path / "a.json", rows)
    with zipfile.ZipFile(tmp_path / "json.zip", "w") as archive:
        archive.write(tmp_path / "a.json", "deep/a.json")
    with tarfile.open(tmp_path / "a.tar.xz", "w:xz") as archive:
        archive.add(tmp_path / "a.extxyz", "deep/a.extxyz")
    return tmp_path


@pytest.mark.parametrize("name", ["a.extxyz", "a.db", "a.parquet", "a.json", "json.zip", "a.tar.xz"])
def test_files_of_many_are_data_sets(many, name):
    found = labelled(many / name)
    assert {key: labels for key, (_, labels) in found.items()} == {"f0": {"band_gap": 0.5}, "f1": {"band_gap": 1.5}}
    for crystal, _ in found.values():
        np.testing.assert_allclose(crystal.lattice, SALT.lattice, atol=1e-10)
        np.testing.assert_allclose(crystal.frac, SALT.frac, atol=1e-10)
    with pytest.raises(InvalidCrystalError, match="several structures"):
        read_structure(many / name)


def rows_of(paths, limits=None):
    with GraphReader(limits or ReadingLimits()) as reader:
        return {
            name.rpartition("/")[2]: item
            for names, read in reader.batches(paths, GraphSpec(), 3)
            for name, item in zip(names, read, strict=True)
        }


def test_files_of_many_are_predicted_as_rows(many):
    write(many / "one.extxyz", frames(1))
    write(many / "bad.json", "[1")
    paths = [many / name for name in ("a.extxyz", "one.extxyz", "bad.json", "a.db", "a.parquet", "json.zip")]
    rows = rows_of(paths)
    good = [name for name, item in rows.items() if isinstance(item, ReadGraph)]
    assert good == ["a.extxyz#f0", "a.extxyz#f1", "one.extxyz", "a.db#f0", "a.db#f1", "a.parquet#f0", "a.parquet#f1",
                    "json.zip#f0", "json.zip#f1"]  # fmt: skip
    assert "no valid JSON" in rows["bad.json"].error


def test_an_archive_of_single_files_names_its_members(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("POSCAR", POSCAR)
        archive.writestr("deep/b.cif.gz", gzip.compress(CIF.encode()))
        archive.writestr("../../escape.cif", CIF)
        archive.writestr("__MACOSX/._b.cif", b"\0\1")
        archive.writestr("readme.txt", "words")
        archive.writestr("JVASP-1", POSCAR)
        archive.writestr("bad.cif", "nothing")
    rows = rows_of([tmp_path / "a.zip"])
    assert list(rows) == ["a.zip#POSCAR", "b.cif.gz", "escape.cif", "a.zip#JVASP-1", "a.zip#bad.cif"]
    assert sum(isinstance(item, ReadGraph) for item in rows.values()) == 4
    assert not (tmp_path.parent / "escape.cif").exists()


class TestRefused:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ({"errors": [{"status": "400", "title": "Bad Request", "detail": "no such filter"}], "meta": {}},
             "OPTIMADE's are.*no such filter"),
            ({"columns": ["a", "b"], "data": [[1, 2]]}, "its keys are 'a', 'b'"),
            ([{"one": DOCUMENT, "two": DOCUMENT}], "2 structures: 'one', 'two'"),
            ([{"columns": ["a"]}], "its keys are 'columns'"),
        ],
    )  # fmt: skip
    def test_json_says_what_it_is(self, tmp_path, content, said):
        path = write(tmp_path / "a.json", content)
        with pytest.raises(DataError, match=said):
            labelled(path)

    def test_a_table_without_structures_lists_its_columns(self, tmp_path):
        pq.write_table(pa.table({"a": [1], "gap": [2.0]}), tmp_path / "a.parquet")
        with pytest.raises(DataError, match=r"no column of structures\. Its columns are a, gap"):
            labelled(tmp_path / "a.parquet")

    @pytest.mark.parametrize("name", ["a.parquet", "a.db", "a.zip", "a.tar", "a.extxyz", "a.tar.gz"])
    @pytest.mark.parametrize("content", [b"", b"\0\1\2" * 50])
    def test_damaged_files_are_named(self, tmp_path, name, content):
        path = tmp_path / name
        path.write_bytes(content)
        found = {}
        with contextlib.suppress(DataError):  # whatever else it is, it is none of ours
            found = labelled(path)
        assert found == {}

    def test_a_database_is_opened_to_be_read_alone(self, many):
        before = (many / "a.db").read_bytes()
        (many / "a.db").chmod(0o444)
        labelled(many / "a.db")
        assert (many / "a.db").read_bytes() == before
        assert not list(many.glob("a.db-*"))

    def test_disordered_and_wrong_sites_are_named(self, tmp_path):
        for site, said in (
            ({"species": [{"element": "Na", "occu": 0.5}], "abc": [0, 0, 0]}, "site 0 is disordered"),
            ({"species": [{"element": "X0+", "occu": 1}], "abc": [0, 0, 0]}, "'X', which"),
            ({"species": [{"element": "Na", "occu": True}], "abc": [0, 0, 0]}, "site 0 is disordered"),
            ({"abc": [0, 0, 0]}, "site 0 is"),
            ({"species": [{"element": "Na", "occu": 1}]}, "neither 'abc' nor 'xyz'"),
        ):
            path = write(tmp_path / "a.json", {"lattice": {"matrix": LATTICE}, "sites": [site]})
            with pytest.raises(InvalidCrystalError, match=said):
                read_structure(path)

    def test_no_module_that_a_file_names_is_imported(self, tmp_path, monkeypatch):
        write(tmp_path / "trap.py", "raise SystemExit('imported')")
        monkeypatch.syspath_prepend(str(tmp_path))
        trap = {"@module": "trap", "@class": "Trap"}
        sites = [{**site, "properties": {"magmom": trap}} for site in DOCUMENT["sites"]]
        path = write(tmp_path / "a.json", {**DOCUMENT, "sites": sites, "properties": trap, "charge": trap})
        assert_same_crystal(read_structure(path, "x"), SALT)


class TestLimits:
    @pytest.mark.parametrize("part", ["9" * 5_000, "[" * 100_000 + "]" * 100_000])
    def test_a_part_beyond_a_limit_costs_the_record(self, tmp_path, part):
        path = write(tmp_path / "a.json", json.dumps({"jid": "x", "atoms": JARVIS})[:-1] + f', "more": {part}}}')
        with pytest.raises(LimitExceededError, match=r"5,000 characters|nested"):
            read_structure(path)
        (row,) = rows_of([path]).values()
        assert "5,000 characters" in row.error or "nested" in row.error

    @pytest.mark.parametrize("name", ["a.cif", "a.json", "a.extxyz", "a.db", "a.zip"])
    def test_pipes_and_folders_are_refused_at_once(self, tmp_path, name):
        os.mkfifo(tmp_path / name)
        (tmp_path / f"folder-{name}").mkdir()
        for path in (tmp_path / name, tmp_path / f"folder-{name}"):
            with pytest.raises(DataError, match=r"no regular file|cannot be read"):
                read_structure(path)

    @pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
    def test_a_compressed_structure_has_the_size_of_one(self, tmp_path, pack):
        path = tmp_path / "a.cif"
        path.write_bytes(pack(CIF.encode() + b" " * 1_000_000))
        with pytest.raises(LimitExceededError, match="file_bytes"):
            read_structure(path, limits=ReadingLimits(file_bytes=100_000))

    @pytest.mark.parametrize("kind", ["zip", "tar"])
    def test_members_share_the_limit_of_unpacked_bytes(self, tmp_path, kind):
        path, content = tmp_path / f"a.{kind}", CIF.encode().replace(b"\n", b"\n#" + b"-" * 2_000 + b"\n", 30)
        if kind == "zip":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for k in range(3):
                    archive.writestr(f"{k}.cif", content)
        else:
            with tarfile.open(path, "w") as archive:
                for k in range(3):
                    info = tarfile.TarInfo(f"{k}.cif")
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
        assert len(labelled(path)) == 3
        with pytest.raises(LimitExceededError, match="unpacked_bytes"):
            labelled(path, limits=ReadingLimits(unpacked_bytes=100_000))
        with pytest.raises(LimitExceededError, match="archive_members"):
            labelled(path, limits=ReadingLimits(archive_members=2))

    def test_links_in_an_archive_lead_nowhere(self, tmp_path):
        with tarfile.open(tmp_path / "a.tar", "w") as archive:
            for kind, name in ((tarfile.SYMTYPE, "a.cif"), (tarfile.LNKTYPE, "b.cif"), (tarfile.FIFOTYPE, "c.cif")):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, "/etc/passwd"
                archive.addfile(info)
        assert labelled(tmp_path / "a.tar") == {}

    def test_atoms_are_counted_before_a_parser_sees_them(self, many):
        limits = ReadingLimits(atoms=1)
        for name in ("a.extxyz", "a.db", "a.parquet", "a.json"):
            rows = rows_of([many / name], limits)
            assert len(rows) == 2
            assert all("data.limits.atoms" in row.error for row in rows.values())


@pytest.mark.parametrize("name", ["structure", "cif", "relaxed"])
def test_a_table_of_pandas_by_columns_is_read_by_its_rows(tmp_path, name):
    cell = CIF if name == "cif" else DOCUMENT
    table = pd.DataFrame({name: [cell, None, cell], "band_gap": [1.0, 2.0, None]}, index=["a", "b", "c"])
    table.to_json(tmp_path / "a.json")
    source = FileSource(tmp_path / "a.json")
    records = list(source.records())
    assert [raw.id for raw in records] == ["a", "b", "c"]
    assert [bool(raw.defect) for raw in records] == [False, True, False]
    gap = [p.key for p in source.properties].index("band_gap")
    assert source.parse(records[0]).targets[gap] == 1.0
    assert np.isnan(source.parse(records[2]).targets[gap])


def test_a_column_longer_than_a_record_names_the_way_out(tmp_path):
    pd.DataFrame({"structure": [DOCUMENT] * 9, "band_gap": [1.0] * 9}).to_json(tmp_path / "a.json")
    source = FileSource(tmp_path / "a.json", limits=ReadingLimits(record_length=2_000))
    with pytest.raises(DataError, match=r"orient='records', lines=True.*data.limits.record_length"):
        list(source.records())
