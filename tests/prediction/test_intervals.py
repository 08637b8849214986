"""``--interval``: columns, errors, ensembles, old model files."""

from typing import Any

import numpy as np
import pytest
import torch

from phase2.cli import main
from phase2.data.crystals.crystal import Crystal
from phase2.errors import ModelFileError, RequestError, UnknownNameError
from phase2.prediction.ensemble import predict_with
from phase2.prediction.predicting import predict_structures
from phase2.prediction.predictor import Predictor
from phase2.testing.crystals import rock_salt
from phase2.testing.tensor_files import save_signed


def rows_of(table) -> list[Any]:
    return list(table.rows)


@pytest.fixture(scope="module")
def old_file(run, tmp_path_factory):
    """A model file as phase2 0.1 wrote it."""
    content = torch.load(run / "best.pt", weights_only=True)
    del content["uncertainty"], content["sha256"]
    path = tmp_path_factory.mktemp("old") / "best.pt"
    save_signed(content, path)
    return path


def test_an_interval_has_its_prediction_inside_and_names_its_columns(predictor, examples):
    plain = predict_structures(predictor, examples)
    table = predict_with([predictor], examples, levels=[0.5], properties=["band_gap", "formation_energy"])
    ends = ["band_gap_low [eV]", "band_gap_high [eV]", "formation_energy_low [eV/atom]"]
    assert table.columns()[4:7] == ends
    assert table.columns()[-3:] == ["novelty", "warning", "error"]
    for row, before in zip(rows_of(table), rows_of(plain), strict=True):
        np.testing.assert_array_equal(row.values, before.values[[1, 0]])
        low, high = row.intervals[0].T
        assert (low <= row.values).all()
        assert (row.values <= high).all()
        assert low[0] >= 0
        assert row.novelty > 0


def test_several_levels_are_nested_and_named(predictor, examples):
    table = predict_with([predictor], examples, levels=[0.6, 0.3, 0.6], properties=["band_gap"])
    ends = ["band_gap_low_0.3 [eV]", "band_gap_high_0.3 [eV]", "band_gap_low_0.6 [eV]", "band_gap_high_0.6 [eV]"]
    assert table.numeric_headings() == ["band_gap [eV]", *ends, "novelty"]
    bounds = np.stack([row.intervals for row in rows_of(table)])
    assert (bounds[:, 0, 0, 0] >= bounds[:, 1, 0, 0]).all()
    assert (bounds[:, 0, 0, 1] <= bounds[:, 1, 0, 1]).all()


def test_too_few_validation_labels_leave_the_interval_out_and_say_so(predictor, examples):
    table = predict_with([predictor], examples, levels=[0.99], properties=["band_gap"])
    assert "no interval of 0.99 for band_gap" in table.notes[0]
    assert "are needed" in table.notes[0]
    assert [record[3:5] for record in table.records()] == [[None, None]] * len(examples)


@pytest.mark.parametrize("level", [0, 1, 90, -0.5, float("nan")])
def test_a_level_that_is_no_share_is_refused(predictor, examples, level):
    with pytest.raises(RequestError, match="not possible"):
        predict_with([predictor], examples, levels=[level])


def test_an_old_model_file_predicts_as_before_but_has_no_interval(old_file, predictor, examples):
    old = Predictor.load(old_file)
    np.testing.assert_array_equal(old.predict([rock_salt()]), predictor.predict([rock_salt()]))
    row = predict_structures(old, examples[:1]).rows[0]
    assert row.novelty is None
    with pytest.raises(ModelFileError, match="has no calibration"):
        predict_with([old], examples, levels=[0.9])


def test_an_ensemble_is_calibrated_as_a_whole(predictor, wider_predictor, examples):
    single = predict_with([predictor], examples, levels=[0.5])
    table = predict_with([predictor, wider_predictor], examples, levels=[0.5])
    means = np.stack([row.values for row in rows_of(table)])
    bounds = np.stack([row.intervals[0] for row in rows_of(table)])
    assert (bounds[..., 0] <= means).all()
    assert (means <= bounds[..., 1]).all()
    assert not np.allclose(bounds, np.stack([row.intervals[0] for row in rows_of(single)]))
    same = predict_with([predictor, predictor], examples, levels=[0.5])
    np.testing.assert_allclose([r.intervals for r in rows_of(same)], [r.intervals for r in rows_of(single)], rtol=1e-3)


def test_models_with_other_validation_crystals_are_no_ensemble_with_intervals(predictor, run, examples, tmp_path):
    content = torch.load(run / "best.pt", weights_only=True)
    content["uncertainty"]["crystals"] = "0" * 64
    save_signed(content, tmp_path / "best.pt")
    with pytest.raises(RequestError, match="cannot be calibrated together"):
        predict_with([predictor, Predictor.load(tmp_path / "best.pt")], examples, levels=[0.5])
    with pytest.raises(UnknownNameError):
        predict_with([predictor], examples, levels=[0.5], properties=["spillage"])


def test_a_crystal_unlike_the_training_set_is_flagged(predictor):
    places: Any = [[0, 0, 0], [0.5, 0.5, 0.5]]
    strange = Crystal.checked("strained", [3, 3], places, np.eye(3) * 1.9)
    alien = Crystal.checked("unseen", [118], [[0, 0, 0]], np.eye(3) * 3)
    rows = predict_structures(predictor, [strange, alien]).rows
    assert "unlike the training set" in rows[0].warning
    assert "not in the training set: Og" in rows[1].warning


def test_the_command_line_writes_the_columns(models, tmp_path, examples):
    output = tmp_path / "out.csv"
    words = ["--models", str(models), "--cif", str(examples[0]), "--output", str(output)]
    assert main(["predict", *words, "--interval", "0.5", "--interval", "0.6"]) == 0
    heading = output.read_text().splitlines()[0]
    assert "bulk_modulus_low_0.5 [GPa],bulk_modulus_high_0.5 [GPa]" in heading
    assert main(["predict", *words, "--interval", "90"]) == 2
