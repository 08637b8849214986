"""The model file and the structure files that a prediction reads from this machine."""

import shutil

import pytest

from phase2.api.references import model_file
from phase2.errors import DataError, ModelFileError
from phase2.prediction.structures import list_structure_files
from phase2.runs.catalog.lookup import default_model_file
from phase2.runs.layout import MANIFEST


def test_a_model_is_a_file_a_run_folder_or_the_newest_run(models, run, tmp_path):
    model = run / "best.pt"
    assert model_file(model, tmp_path) == model
    assert model_file(run, tmp_path) == model
    assert default_model_file(models) == model


def test_an_unfinished_run_is_no_model(models, run, tmp_path):
    copy = tmp_path / run.relative_to(models)
    shutil.copytree(run, copy)
    (copy / MANIFEST).unlink()
    with pytest.raises(ModelFileError, match="no finished run"):
        default_model_file(tmp_path)


def test_structure_files_are_sorted_and_others_ignored(tmp_path):
    for name in ("b.cif", "POSCAR", "a.CIF", "x.json", "notes.txt", "targets.csv"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder.cif").mkdir()
    assert [path.name for path in list_structure_files(tmp_path)] == ["POSCAR", "a.CIF", "b.cif", "x.json"]


def test_a_folder_without_structures_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DataError, match=r"holds no structure.*Structures are called .*cif"):
        list_structure_files(tmp_path)


def test_what_is_no_folder_is_refused(tmp_path):
    (tmp_path / "a.cif").write_text("")
    for path in (tmp_path / "a.cif", tmp_path / "nowhere"):
        with pytest.raises(DataError, match="is no folder"):
            list_structure_files(path)
