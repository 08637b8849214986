"""Data sets by name and path: what is read, what is rejected, and with which message."""

import contextlib
import gzip
import json
import logging
import math
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phase2.data.crystals.listing import list_structures
from phase2.data.sources.base import read_label
from phase2.data.sources.file_source import FileSource
from phase2.data.sources.folder import FolderSource
from phase2.data.sources.jarvis import DFT_3D, DFT_3D_MEMBER, JarvisSource, download_folder
from phase2.data.sources.registry import NAMES, fetch_source, known_sources, open_source
from phase2.errors import DataError, InvalidCrystalError, UnknownNameError
from phase2.properties import KEYS, PROPERTIES, get_property

ATOMS = {
    "lattice_mat": [[4.0, 0, 0], [0, 4.0, 0], [0, 0, 4.0]],
    "coords": [[0, 0, 0], [0.5, 0.5, 0.5]],
    "elements": ["Cs", "Cl"],
    "cartesian": False,
}
POSCAR = "salt\n1.0\n4 0 0\n0 4 0\n0 0 4\n{} Cl\n1 1\ndirect\n0 0 0\n0.5 0.5 0.5\n"


def record(jid, **labels):
    return {"jid": jid, "atoms": ATOMS, "spg": 221, **labels}


def targets_of(crystal):
    return {key: value for key, value in zip(KEYS, crystal.targets, strict=True) if not math.isnan(value)}


def parse_all(source):
    """Parse every record as worker processes do: from pickles of the source and of the record."""
    good, refused = {}, {}
    parse = pickle.loads(pickle.dumps(source.parse))
    for raw in pickle.loads(pickle.dumps(list(source.records()))):
        try:
            parsed = parse(raw)
        except InvalidCrystalError as error:
            refused[raw.id] = str(error)
        else:
            assert parsed.crystal.id == raw.id
            assert parsed.targets.shape == (9,)
            good[raw.id] = targets_of(parsed)
    return good, refused


@pytest.fixture
def write_json(tmp_path):
    def write(content, name="data.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return open_source(str(path))

    return write


class TestLabels:
    @pytest.mark.parametrize("value", [None, "", " ", "na", "NA", "n/a", "NaN", "none", "null", math.nan, math.inf])
    def test_missing(self, value):
        assert math.isnan(read_label(value, get_property("band_gap"), "x"))

    @given(st.floats(-3.4e38, 3.4e38))
    def test_numbers_and_their_text(self, value):
        assert read_label(value, get_property("band_gap"), "x") == value
        assert read_label(f" {value!r} ", get_property("band_gap"), "x") == value

    @pytest.mark.parametrize("value", [True, False, "high", "1,5", "1_000", [1.0], {"value": 1}])
    def test_what_is_no_number_is_named(self, value):
        with pytest.raises(InvalidCrystalError, match=r"'JVASP-1' has optb88vdw_bandgap = .*number in eV"):
            read_label(value, get_property("band_gap"), "JVASP-1")

    @pytest.mark.parametrize("value", [1e39, -1e39, "1e39", "-1e999", 10**39, 10**400])
    def test_a_number_too_large_to_keep_is_refused(self, value):
        with pytest.raises(InvalidCrystalError, match=r"'x' has optb88vdw_bandgap = .*larger than 3.4e\+38"):
            read_label(value, get_property("band_gap"), "x")


class TestJson:
    def test_columns_become_targets(self, write_json):
        labels = {p.column: float(k) for k, p in enumerate(PROPERTIES)}
        good, refused = parse_all(write_json([record("a", **labels), record("b", band_gap=2.5, ehull="na")]))
        assert good == {"a": dict(zip(KEYS, map(float, range(9)), strict=True)), "b": {"band_gap": 2.5}}
        assert not refused

    def test_lists_objects_and_lines_are_the_same(self, write_json):
        records = [record("a", ehull=0.5), record("b", ehull=0.25)]
        in_list = parse_all(write_json(records))
        nameless = {r["jid"]: {k: v for k, v in r.items() if k != "jid"} for r in records}
        assert parse_all(write_json(nameless)) == in_list
        assert parse_all(write_json("\n".join(map(json.dumps, records)), "data.jsonl")) == in_list

    def test_bare_nan(self, write_json):
        text = json.dumps([record("a", ehull=math.nan, band_gap=math.inf, spillage=1.0)])
        assert "NaN" in text
        assert parse_all(write_json(text))[0] == {"a": {"spillage": 1.0}}
        broken = {**ATOMS, "coords": [[0, 0, 0], [0, math.nan, 0]]}
        _, refused = parse_all(write_json([{"jid": "a", "atoms": broken}]))
        assert "site 1 (Cl)" in refused["a"]

    @pytest.mark.parametrize(
        ("entry", "name", "said"),
        [
            (5, "record-1", "a int, not an object"),
            (None, "record-1", "not an object"),
            ({"jid": "b"}, "b", "no structure; its keys are 'jid'"),
            ({"jid": "b", "atoms": None}, "b", "'atoms' are None"),
            ({"jid": "b", "atoms": {}}, "b", "no 'lattice_mat'"),
            ({"jid": ["b"], "atoms": {}}, "record-1", "no 'lattice_mat'"),
            (record("b", ehull=True), "b", "ehull = True"),
            (record("\ud800b"), "\\ud800b", "cannot be written"),
            (record("b\0"), "b\\x00", "cannot be written"),
            (record("b", ehull="deep"), "b", "ehull = 'deep'"),
        ],
    )
    def test_one_bad_record_does_not_stop_the_others(self, write_json, entry, name, said):
        good, refused = parse_all(write_json([record("a"), entry, record("c")]))
        assert set(good) == {"a", "c"}
        assert name in refused
        assert said in refused[name]
        assert refused[name].encode().isascii()

    def test_the_first_of_two_equal_ids_stays(self, write_json):
        source = write_json([record("a", ehull=1.0), record("a", ehull=2.0), record(7), record("7")])
        raws = list(source.records())
        assert [raw.id for raw in raws] == ["a", "a", "7", "7"]
        assert [bool(raw.defect) for raw in raws] == [False, True, False, True]
        with pytest.raises(InvalidCrystalError, match="earlier record has the same id"):
            source.parse(raws[1])
        assert targets_of(source.parse(raws[0])) == {"ehull": 1.0}

    def test_unneeded_columns_are_dropped(self, write_json):
        (raw,) = write_json([record("a", efg=[0.0] * 1000)]).records()
        assert len(pickle.dumps(raw)) < 1_000

    def test_fingerprint_is_of_the_content(self, tmp_path):
        text = json.dumps([record("a")]).encode()
        for name, content in (("a.json", text), ("b.json", text), ("c.json", text + b" ")):
            (tmp_path / name).write_bytes(content)
        a, b, c = (open_source(str(tmp_path / f"{name}.json")).fingerprint for name in "abc")
        assert a == b != c
        assert len(a) == 64

    def test_fingerprint_tells_lines_from_an_object(self, tmp_path):
        text = json.dumps({"a": record("b")})  # an object of records, or one line with a record that has no id
        prints, ids = set(), set()
        for name in ("a.json", "a.jsonl", "a.ndjson"):
            (tmp_path / name).write_text(text)
            source = open_source(str(tmp_path / name))
            prints.add(source.fingerprint)
            ids.add(tuple(raw.id for raw in source.records()))
        assert len(prints) == len(ids) == 2

    def test_damaged_json_is_located(self, write_json):
        with pytest.raises(DataError, match="line 2, column 1"):
            list(write_json("[{},\n!]").records())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "na.cif").write_text("")
    (tmp_path / "na.cif").unlink()
    (tmp_path / "na.vasp").write_text(POSCAR.format("Na"))
    (tmp_path / "k.vasp").write_text(POSCAR.format("K"))
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "POSCAR").write_text(POSCAR.format("Rb"))
    (tmp_path / "bad.vasp").write_text(POSCAR.format("Xx"))
    (tmp_path / "broken.cif").write_bytes(b"\0\1")
    return tmp_path


def with_csv(folder: Path, *rows: str) -> FolderSource:
    (folder / "targets.csv").write_text("\n".join(rows) + "\n")
    source = open_source(str(folder))
    assert isinstance(source, FolderSource)
    return source


class TestFolder:
    def test_by_file_and_by_id(self, folder):
        expected = {"na": {"band_gap": 5.0}, "k": {"band_gap": 4.5}, "deep/POSCAR": {}}
        by_file = with_csv(folder, "file,band_gap [eV]", "na.vasp,5", "k.vasp, 4.5", "deep/POSCAR,na")
        assert parse_all(by_file) == (expected, {})
        by_id = with_csv(folder, "id,optb88vdw_bandgap", "na,5", "k,4.5", "", "deep/POSCAR,")
        assert parse_all(by_id) == (expected, {})
        both = with_csv(folder, "band_gap,ID,File,ehull", "5,salt,na.vasp,0.1")
        assert parse_all(both) == ({"salt": {"band_gap": 5.0, "ehull": 0.1}}, {})

    @pytest.mark.parametrize(
        ("row", "name", "said"),
        [
            ("bad.vasp,1", "bad", "bad.vasp holds no valid crystal"),
            ("broken.cif,1", "broken", "broken.cif is no text file"),
            ("gone.cif,1", "gone", "no file"),
            ("gone\0.cif,1", "gone\\x00", "zero character"),
            ("na.vasp,1", "na", "earlier row"),
            (",1", "unnamed", "neither file nor id"),
            ("../na.vasp,1", "../na", "outside the folder"),
            ("k.vasp,wide", "k", "optb88vdw_bandgap = 'wide'"),
        ],
    )
    def test_one_bad_row_does_not_stop_the_others(self, folder, row, name, said):
        source = with_csv(folder, "file,band_gap", "na.vasp,5", row, "deep/POSCAR,3")
        good = []
        reasons = {}
        for raw in source.records():
            try:
                good.append(source.parse(raw).crystal.formula)
            except InvalidCrystalError as error:
                reasons[raw.id] = str(error)
        assert good == ["ClNa", "ClRb"]
        assert said in reasons[name]

    @pytest.mark.parametrize(
        ("rows", "said"),
        [
            (["file,band_gpa", "na.vasp,5"], "Call it 'band_gap [UNIT]'"),
            (["file,formation_energy_peratm", "na.vasp,5"], "formation_energy_peratom"),
            (["file,band_gap [GPa]", "na.vasp,5"], "unit 'eV'"),
            (["file,band_gap,optb88vdw_bandgap", "na.vasp,5,5"], "two columns for 'band_gap'"),
            (["file,colour", "na.vasp,red"], "at least one property"),
            (["band_gap", "5"], "'file' or 'id'"),
            (["file band_gap", "na.vasp 5"], "Separate cells by commas"),
            (["file,band_gap", "na.vasp,5,6"], "3 cells in row 2"),
            (["file,band_gap", "na.vasp"], "1 cells in row 2"),
            (["file,band_gap"], "no rows"),
            ([""], "no rows"),
            (["file,band_gap", 'na.vasp,"5'], "no CSV"),
            (
                ["file,band_gap", "na.vasp,wide", "k.vasp,none", "deep/POSCAR,true"],
                "no number in the column of band_gap",
            ),
        ],
    )
    def test_wrong_tables_are_refused_at_once(self, folder, rows, said):
        with pytest.raises(DataError) as caught:
            list(with_csv(folder, *rows).records())
        assert said in str(caught.value)
        assert "targets.csv" in str(caught.value)

    def test_other_columns_are_noted(self, folder, caplog):
        with caplog.at_level(logging.WARNING):
            source = with_csv(folder, "file,band_gap,comment", "na.vasp,5,a salt")
            assert parse_all(source)[0] == {"na": {"band_gap": 5.0}}
        assert "'comment'" in caplog.text

    def test_one_csv_is_needed(self, folder):
        with pytest.raises(DataError, match="0 CSV files"):
            list(open_source(str(folder)).records())
        (folder / "a.csv").write_text("")
        with pytest.raises(DataError, match="2 CSV files"):
            list(with_csv(folder, "file,band_gap").records())

    def test_csv_in_another_encoding(self, folder):
        (folder / "targets.csv").write_bytes("file,band_gap\nsälz.vasp,5\n".encode("latin-1"))
        with pytest.raises(DataError, match="UTF-8"):
            list(open_source(str(folder)).records())
        (folder / "targets.csv").write_bytes(b"\xef\xbb\xbffile,band_gap\r\nna.vasp,5\r\n")
        assert parse_all(open_source(str(folder))) == ({"na": {"band_gap": 5.0}}, {})

    def test_fingerprint_follows_every_file(self, folder):
        def now():
            return FolderSource(folder).fingerprint

        with_csv(folder, "file,band_gap", "na.vasp,5")
        prints = [now(), now()]
        assert prints[0] == prints[1]
        (folder / "notes.txt").write_text("not part of the data")
        assert now() == prints[0]
        (folder / "na.vasp").write_text(POSCAR.format("Li"))
        prints.append(now())
        (folder / "k.vasp").rename(folder / "k2.vasp")
        prints.append(now())
        with_csv(folder, "file,band_gap", "na.vasp,6")
        prints.append(now())
        assert len(set(prints)) == 4


@contextlib.contextmanager
def without_permission(path):
    """Take away the right to list a folder; root, who may do all, becomes somebody else meanwhile."""
    mode, root = path.stat().st_mode, os.geteuid() == 0
    path.chmod(0)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        path.chmod(mode)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions work otherwise here")
class TestUnreadable:
    def test_a_folder(self, folder):
        source = with_csv(folder, "file,band_gap", "na.vasp,5")
        with without_permission(folder):
            for use in (
                lambda: source.fingerprint,
                lambda: [*source.records()],
                lambda: list_structures(folder),
            ):
                with pytest.raises(DataError, match=r"cannot be read\. Permission denied"):
                    use()

    @pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that not even root can read")
    def test_one_structure(self, folder):
        whole = with_csv(folder, "file,band_gap", "na.vasp,5", "k.vasp,4").fingerprint
        (folder / "odd.cif").symlink_to("/proc/self/mem")
        assert FolderSource(folder).fingerprint != whole

    def test_a_folder_on_the_way_and_a_long_name(self, folder):
        source = with_csv(folder, "file,band_gap", "na.vasp,5", "x" * 300 + ".cif,1")
        good, refused = parse_all(source)
        assert set(good) == {"na"}
        assert len(refused) == 1
        with pytest.raises(DataError):
            open_source("/" + "x" * 300)


class TestOpen:
    @pytest.mark.parametrize("name", NAMES)
    def test_names(self, name):
        source = open_source(name)
        assert source.name == name
        assert len(source.fingerprint) == 64
        assert pickle.loads(pickle.dumps(source)).fingerprint == source.fingerprint

    def test_names_are_listed(self, tmp_path):
        assert tuple(known.name for known in known_sources()) == NAMES
        assert [known.state(tmp_path) for known in known_sources()] == [
            "included",
            "included",
            "not downloaded (41 MB)",
        ]
        download_folder(tmp_path).mkdir()
        (download_folder(tmp_path) / DFT_3D.file_name).touch()
        assert known_sources()[2].state(tmp_path) == "downloaded"

    def test_misspelt_names(self, tmp_path):
        with pytest.raises(UnknownNameError, match="Did you mean 'jarvis-dft3d'"):
            open_source("jarvis_dft3d")
        with pytest.raises(UnknownNameError, match="Did you mean 'sample'"):
            fetch_source("smaple", tmp_path)
        with pytest.raises(UnknownNameError):
            open_source("")

    @pytest.mark.parametrize("path", ["nowhere/data.json", "data.json", "./nowhere", "/nowhere"])
    def test_missing_paths(self, path):
        with pytest.raises(DataError, match=f"no file or folder {path}"):
            open_source(path)

    def test_files_that_are_no_data_set(self, tmp_path):
        path = tmp_path / "model.pt"
        path.touch()
        with pytest.raises(DataError, match="is no data set"):
            open_source(str(path))

    def test_compressed_names(self, tmp_path):
        path = tmp_path / "a.json.gz"
        path.write_bytes(gzip.compress(json.dumps([record("a")]).encode()))
        assert isinstance(open_source(str(path)), FileSource)
        assert parse_all(open_source(str(path)))[0] == {"a": {}}

    def test_the_sample_needs_no_fetching(self, tmp_path):
        assert fetch_source("sample", tmp_path).exists()
        assert not list(tmp_path.iterdir())


def test_jarvis_is_read_from_its_archive(tmp_path):
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("readme.json", "[]")
        file.writestr(DFT_3D_MEMBER, json.dumps([record("JVASP-1", mbj_bandgap=1.5)]))
    good, refused = parse_all(FileSource(archive, DFT_3D_MEMBER))
    assert good == {"JVASP-1": {"band_gap_mbj": 1.5}}
    assert not refused
    raw = next(FileSource(archive, DFT_3D_MEMBER).records())
    labelled = JarvisSource(tmp_path).parse(raw)
    np.testing.assert_array_equal(labelled.crystal.species, [55, 17])
