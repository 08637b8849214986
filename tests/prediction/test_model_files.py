"""The model file that a prediction reads from this machine."""

import shutil

import pytest

from phase2.api.runs.references import model_file
from phase2.errors import ModelFileError
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
