"""A CSV with the texts of its structures is a data set; notes on a table are said once; folders without a table."""

import csv
import logging
import pickle
import shlex
import subprocess

import numpy as np
import pytest

from phase2.cli import main
from phase2.data.sources.folder import FolderSource
from phase2.data.sources.registry import open_source
from phase2.data.sources.tables.source import TableSource
from phase2.errors import DataError, InvalidCrystalError

CIF = """data_salt
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 Na 0 0 0
Cl1 Cl 0.5 0.5 0.5
"""
POSCAR = "x\n1.0\n3 0 0\n0 3 0\n0 0 3\nCs Cl\n1 1\nDirect\n0 0 0\n0.5 0.5 0.5\n"
FRAME = (
    '2\nLattice="3 0 0 0 3 0 0 0 3" Properties=species:S:1:pos:R:3 band_gap={gap} pbc="T T T"\n'
    "Cs 0 0 0\nCl 1.5 1.5 1.5\n"
)


def write(path, headings, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([headings, *rows])
    return path


def gaps(source):
    gap = [p.key for p in source.properties].index("band_gap")
    found: dict[str, object] = {}
    for raw in source.records():
        try:
            one = source.parse(raw)
        except InvalidCrystalError as error:
            found[raw.id] = str(error)
        else:
            found[raw.id] = (one.crystal.formula, one.crystal.n_atoms, one.targets[gap])
    return found


@pytest.mark.parametrize("heading", ["cif", "CIF", "poscar"])
def test_texts_of_structures(tmp_path, heading):
    rows = [["a", CIF.format(a=5.64), "5000"], ["b", POSCAR, ""], ["c", "no\nstructure", "1"], ["a", POSCAR, "2"],
            ["d", "", "1"], ["e", CIF.format(a=5.7).replace("Na1 Na", "Xx1 Xx"), "1"]]  # fmt: skip
    source = open_source(str(write(tmp_path / "mp.csv", ["material_id", heading, "band_gap [meV]"], rows)))
    found = [source.parse(raw) if not raw.defect else raw.defect for raw in list(source.records())[:5]]
    assert (found[0].crystal.formula, found[0].crystal.n_atoms) == ("ClNa", 8)
    assert found[0].targets[[p.key for p in source.properties].index("band_gap")] == 5.0
    assert (found[1].crystal.n_atoms, np.isnan(found[1].targets).all()) == (2, True)
    assert found[2] == "Its cell holds no text of a CIF or POSCAR, and no JSON of a structure."
    assert found[3] == "An earlier row has the same id."
    assert found[4] == "It has no text of a structure."
    with pytest.raises(InvalidCrystalError, match="Xx"):
        source.parse(list(source.records())[5])
    again = pickle.loads(pickle.dumps(source))
    assert isinstance(again, TableSource)
    assert again.fingerprint == source.fingerprint


def test_rows_without_ids_are_numbered(tmp_path):
    rows = [[CIF.format(a=5.6), "1"], [CIF.format(a=5.7), "2"]]
    assert list(gaps(open_source(str(write(tmp_path / "a.csv", ["cif", "band_gap"], rows))))) == ["row-0", "row-1"]


def test_a_long_text_is_one_cell(tmp_path):
    long = CIF.format(a=5.64) + "# padding\n" * 30_000
    source = open_source(str(write(tmp_path / "a.csv", ["id", "cif", "band_gap"], [["a", long, "1"]])))
    assert gaps(source) == {"a": ("ClNa", 8, 1.0)}


def test_in_a_folder_the_column_may_have_texts_or_names(tmp_path):
    (tmp_path / "salt.cif").write_text(CIF.format(a=5.6))
    write(tmp_path / "t.csv", ["id", "cif", "band_gap"], [["x", "salt.cif", "1"], ["y", POSCAR, "2"]])
    source = open_source(str(tmp_path))
    assert isinstance(source, FolderSource)
    assert gaps(source) == {"x": ("ClNa", 8, 1.0), "y": ("ClCs", 2, 2.0)}
    assert source.left_out() == ()


def test_a_table_that_names_files_is_a_part_of_its_folder(tmp_path):
    table = write(tmp_path / "t.csv", ["file", "band_gap"], [["a.cif", "1"]])
    with pytest.raises(DataError, match=f"Give the folder of the files: --data {tmp_path}"):
        list(open_source(str(table)).records())


def test_notes_on_a_table_are_said_once(tmp_path, capsys, caplog, monkeypatch):
    monkeypatch.setenv("PHASE2_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "salt.cif").write_text(CIF.format(a=5.6))
    (folder / "t.csv").write_text("# made by hand\nid,band_gap [meV],colour\nsalt,1000,white\n")
    with caplog.at_level(logging.WARNING):
        assert main(["data", "describe", "--data", str(folder)]) == 0
    said = [record.getMessage() for record in caplog.records] + capsys.readouterr().err.splitlines()
    for note in ("'colour' is no property", "is converted to eV", "1 comment lines are left out"):
        assert len({text for text in said if note in text}) == 1
        assert sum(note in record.getMessage() for record in caplog.records) <= 1


def test_a_folder_whose_files_have_labels_says_what_makes_a_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "my frames"
    folder.mkdir()
    for k in range(2):
        (folder / f"{k}.extxyz").write_text(FRAME.format(gap=k + 1))
    with pytest.raises(DataError) as caught:
        list(open_source(str(folder)).records())
    command = str(caught.value).partition("Run '")[2].partition("' and give --data ")[0]
    subprocess.run(shlex.split(f"tar{command.removeprefix('tar')}"), check=True)
    found = gaps(open_source("my frames.tar"))
    assert sorted(value for value in found.values()) == [("ClCs", 2, 1.0), ("ClCs", 2, 2.0)]
    (folder / "1.extxyz").unlink()
    with pytest.raises(DataError, match=r"Give --data '.*my frames/0\.extxyz'"):
        list(open_source(str(folder)).records())
