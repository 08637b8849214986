"""Columns that are no property: of the CSV of a folder, and of records in any format, by id."""

import csv
import json
import shutil

import pyarrow as pa
import pytest
from ase import Atoms
from ase.db import connect
from pyarrow import parquet
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from pymatgen.io.vasp import Poscar
from tests.argo.manifests import ROOT

from phase2.data.sources.absent import unread_columns
from phase2.data.sources.columns import read_column
from phase2.data.sources.registry import open_source
from phase2.errors import DataError, UnknownNameError


def test_a_column_of_the_csv_of_a_folder(tmp_path):
    for name in ("NaCl", "Si"):
        shutil.copy(ROOT / "docs" / "examples" / f"{name}.cif", tmp_path)
    (tmp_path / "targets.csv").write_text(
        "file,band_gap [eV],lab\nNaCl.cif,5.0, north\nSi.cif,0.6,\n", encoding="utf-8"
    )
    source = open_source(str(tmp_path))
    assert read_column(source, "lab") == {"NaCl": "north", "Si": ""}
    assert set(read_column(source, "lab")) == {record.id for record in source.records()}
    with pytest.raises(UnknownNameError, match="Did you mean 'lab'"):
        read_column(source, "labs")


def test_rows_have_the_ids_of_their_crystals_whatever_column_says_them(tmp_path):
    salt = (ROOT / "docs" / "examples" / "NaCl.cif").read_text(encoding="utf-8")
    texts = tmp_path / "texts.csv"  # no column of names: crystals are named by their rows
    with texts.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["cif", "band_gap", "lab"], [salt, 5, "north"], [salt, 6, "south"]])
    assert read_column(open_source(str(texts)), "lab") == {"row-0": "north", "row-1": "south"}
    assert list(read_column(open_source(str(texts)), "lab")) == [one.id for one in open_source(str(texts)).records()]
    for headings, name, crystal in (("cif", "NaCl.cif", "NaCl"), ("id,file", "'=salt,NaCl.cif", "=salt")):
        folder = tmp_path / crystal
        folder.mkdir()
        (folder / "NaCl.cif").write_text(salt, encoding="utf-8")
        (folder / "targets.csv").write_text(f"{headings},band_gap,lab\n{name},5,north\n", encoding="utf-8")
        source = open_source(str(folder))
        assert [one.id for one in source.records()] == [crystal]
        assert read_column(source, "lab") == {crystal: "north"}


def test_a_column_of_records(tmp_path):
    path = tmp_path / "data.json"
    path.write_text(json.dumps([{"jid": "a", "atoms": {}, "year": 1999}, {"jid": "b", "atoms": {}}]), encoding="utf-8")
    assert read_column(open_source(str(path)), "year") == {"a": "1999", "b": ""}


ROWS = [("a", "north", 1999), ("b", "south", 2001), ("c", "north", 1999)]


def salt():
    return Atoms("NaCl", cell=[4.0] * 3, scaled_positions=[[0, 0, 0], [0.5] * 3], pbc=True)


def write_database(path):
    with connect(path) as database:
        for name, lab, year in ROWS:
            database.write(salt(), key_value_pairs={"lab": lab, "year": year, "name": name}, data={"notes": [1, 2]})


def write_parquet(path):
    text = Poscar(AseAtomsAdaptor.get_structure(salt())).get_str()
    rows = [{"id": name, "structure": text, "lab": lab, "year": year} for name, lab, year in ROWS]
    parquet.write_table(pa.Table.from_pylist(rows), path)


def write_nested(path):
    pymatgen = AseAtomsAdaptor.get_structure(salt()).as_dict()
    records = [{"id": n, "structure": pymatgen, "attributes": {"lab": lab, "year": y}} for n, lab, y in ROWS]
    path.write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "write"), [("my.db", write_database), ("my.parquet", write_parquet), ("my.jsonl", write_nested)]
)
def test_a_column_of_every_format_that_has_columns(name, write, tmp_path):
    path = tmp_path / name
    write(path)
    source = open_source(str(path))
    assert read_column(source, "lab") == {name: lab for name, lab, _ in ROWS}
    assert read_column(source, "year") == {name: str(year) for name, _, year in ROWS}
    assert list(read_column(source, "lab")) == [record.id for record in source.records()]
    with pytest.raises(UnknownNameError, match="Did you mean 'lab'"):
        read_column(source, "labs")


@pytest.mark.parametrize(("name", "write"), [("my.db", write_database), ("my.parquet", write_parquet)])
def test_columns_that_are_not_read_are_named_of_files_that_a_process_of_its_own_reads(name, write, tmp_path):
    write(tmp_path / name)
    named = unread_columns(open_source(str(tmp_path / name))).split(", ")
    assert set(named) - {"name"} == {"lab", "year"}


def test_a_broken_database_is_refused_as_where_it_is_read(tmp_path):
    path = tmp_path / "my.db"
    path.write_bytes(b"SQLite format 3\0" + bytes(2000))
    with pytest.raises(DataError, match="no database of ASE"):
        read_column(open_source(str(path)), "lab")


def test_the_sample_has_no_columns():
    with pytest.raises(DataError, match="has no columns"):
        read_column(open_source("sample"), "lab")


def test_a_structure_that_is_the_record_has_no_columns(tmp_path):
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.69), ["Na", "Cl"], [[0, 0, 0], [0.5] * 3]).as_dict()
    bare = tmp_path / "salt.json"
    bare.write_text(json.dumps(salt))
    assert unread_columns(open_source(str(bare))) == ""
    with_label = tmp_path / "labelled.json"
    with_label.write_text(json.dumps([{**salt, "cv": 3.0}, {"structure": salt, "gap": 1.0, "material_id": "mp-1"}]))
    assert unread_columns(open_source(str(with_label))) == "cv, gap"
