"""The structure files of a folder."""

import pytest

from phase2.data.crystals.listing import RUN_FILE, left_out_notes, list_structures
from phase2.errors import DataError
from phase2.runs.layout import CONFIG


def test_structure_files_are_sorted_and_others_ignored(tmp_path):
    for name in ("b.cif", "POSCAR", "a.CIF", "x.json", "notes.txt", "targets.csv"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder.cif").mkdir()
    assert [path.name for path in list_structures(tmp_path).structures] == ["POSCAR", "a.CIF", "b.cif", "x.json"]


def test_a_folder_without_structures_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DataError, match=r"holds no structure.*Structures are called .*cif"):
        list_structures(tmp_path)


def test_what_is_no_folder_is_refused(tmp_path):
    (tmp_path / "a.cif").write_text("")
    for path in (tmp_path / "a.cif", tmp_path / "nowhere"):
        with pytest.raises(DataError, match="is no folder"):
            list_structures(path)


def test_a_json_without_a_suffix_is_told_by_its_keys(tmp_path):
    structure = '{"lattice": {"matrix": []}, "sites": []}'
    (tmp_path / "JVASP-1").write_text(f" {structure}")
    (tmp_path / "JVASP-2").write_text(f"\ufeff[{structure}]", encoding="utf-8")
    (tmp_path / "log").write_text('{"level": "info", "message": "the lattice"}')
    (tmp_path / "words").write_text('[lattice]\n"sites"')
    found = list_structures(tmp_path)
    assert [path.name for path in found.structures] == ["JVASP-1", "JVASP-2"]
    assert [one.name for one in found.left_out] == ["log", "words"]


def test_what_a_run_has_recorded_is_no_structure(tmp_path):
    run = tmp_path / "models" / "multitask_cgcnn" / "run_1"
    run.mkdir(parents=True)
    (run / CONFIG).write_text("{}")
    (run / "crystals.json").write_text('{"atoms": [4, 8]}')
    (tmp_path / "a.cif").write_text("")
    found = list_structures(tmp_path)
    assert [path.name for path in found.structures] == ["a.cif"]
    (note,) = left_out_notes(found.left_out)
    assert note.startswith("2 files not taken (in the folder of a run): models/")
    with pytest.raises(DataError, match="2 files not taken"):
        list_structures(run)
    assert RUN_FILE == CONFIG
