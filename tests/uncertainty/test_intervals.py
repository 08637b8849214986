"""Intervals hold the stated share of labels, are wide where errors are large, and survive the model file."""

import doctest
from dataclasses import replace

import numpy as np
import pytest
import torch

from phase2.errors import ModelFileError
from phase2.runs.records.intervals import CURVE, LEVELS
from phase2.uncertainty import calibration
from phase2.uncertainty.calibration import labels_needed
from phase2.uncertainty.coverage import measure_coverage
from phase2.uncertainty.estimator import UncertaintyEstimator


@pytest.fixture(scope="module")
def test_part(make):
    return make(3, 2500)


@pytest.fixture(scope="module")
def measured(estimator, test_part):
    return measure_coverage(
        estimator.calibration,
        test_part.predictions,
        estimator.difficulty(test_part.features),
        estimator.novelty(test_part.features),
        test_part.targets,
    )


def test_coverage_is_nominal_at_every_level(measured):
    for prop in measured:
        assert [one.level for one in prop.levels] == list(CURVE)
        for one in prop.levels:
            variance = one.level * (1 - one.level) * (1 / prop.val_labels + 1 / prop.test_labels)
            assert abs(one.coverage - one.level) < 3 * variance**0.5, (prop.key, one)


def test_intervals_are_wide_where_errors_are_large(measured, estimator, test_part):
    assert all(prop.contrast > 3 for prop in measured)
    nothing_known = np.ones_like(estimator.calibration.difficulty)
    even = measure_coverage(
        replace(estimator.calibration, difficulty=nothing_known),
        test_part.predictions,
        np.ones_like(test_part.predictions),
        np.zeros(len(test_part.ids)),
        test_part.targets,
    )
    for prop, constant in zip(measured, even, strict=True):
        assert constant.contrast is not None
        assert prop.contrast > 1.4 * constant.contrast, "those of a modulus grow with its value anyway"


def test_higher_levels_contain_lower_ones_and_every_interval_its_prediction(estimator, test_part):
    difficulty = estimator.difficulty(test_part.features)
    inner = None
    for level in LEVELS:
        low, high = estimator.calibration.intervals(test_part.predictions, difficulty, level).transpose(2, 0, 1)
        assert (low <= test_part.predictions).all()
        assert (high >= test_part.predictions).all()
        if inner is not None:
            assert (low <= inner[0]).all()
            assert (high >= inner[1]).all()
        inner = low, high
    assert (low[:, 1] >= 0).all(), "a modulus is not negative"
    assert (low[:, 0] < 0).any(), "a formation energy is"


def test_a_level_needs_as_many_labels_as_it_says(estimator, scaler):
    for level in (0.5, 0.8, 0.9, 0.95, 0.99):
        needed = labels_needed(level)
        for count in (needed - 1, needed, needed + 1):
            few = replace(
                estimator.calibration,
                predicted=np.zeros((count, 2), np.float32),
                labels=np.ones((count, 2), np.float32),
                difficulty=np.ones((count, 2), np.float32),
            )
            bounds = few.intervals(np.ones((1, 2)), np.ones((1, 2)), level)
            assert few.is_possible(0, level) == (count >= needed)
            assert np.isfinite(bounds).all() == (count >= needed), "crepes would give an infinite interval"


def test_examples_of_the_module_hold():
    assert doctest.testmod(calibration).failed == 0


def test_a_property_without_test_labels_has_no_coverage(estimator, test_part):
    none = np.full_like(test_part.targets, np.nan)
    none[:, 0] = test_part.targets[:, 0]
    difficulty, novelty = estimator.difficulty(test_part.features), estimator.novelty(test_part.features)
    energy, modulus = measure_coverage(estimator.calibration, test_part.predictions, difficulty, novelty, none)
    assert energy.levels
    assert (modulus.levels, modulus.contrast, modulus.novel, modulus.test_labels) == ((), None, None, 0)


def test_validation_crystals_are_seldom_novel_and_far_ones_always(estimator, make):
    assert np.mean(estimator.novelty(make(2, 1500).features) > 1) == pytest.approx(0.01, abs=0.001)
    assert np.mean(estimator.novelty(make(4, 1500).features) > 1) < 0.03
    far = make(5, 50, width=12.0).features
    assert (estimator.novelty(far) > 1).mean() > 0.9
    assert np.median(estimator.difficulty(far)) > 2 * np.median(estimator.difficulty(make(4, 50).features))


def test_an_estimator_is_restored_to_the_bit(estimator, scaler, test_part, tmp_path):
    torch.save(estimator.to_dict(), tmp_path / "file.pt")
    restored = UncertaintyEstimator.from_dict(torch.load(tmp_path / "file.pt", weights_only=True), scaler)
    for one, other in ((estimator, restored),):
        np.testing.assert_array_equal(one.difficulty(test_part.features), other.difficulty(test_part.features))
        np.testing.assert_array_equal(one.novelty(test_part.features), other.novelty(test_part.features))
    assert restored.crystals == estimator.crystals
    assert (tmp_path / "file.pt").stat().st_size < 200_000


@pytest.mark.parametrize("damage", ["missing", "shape", "not finite", "limit"])
def test_a_damaged_estimator_is_refused(estimator, scaler, damage):
    content = estimator.to_dict()
    if damage == "missing":
        del content["difficulty"]
    elif damage == "shape":
        content["points"] = content["points"][:, :3]
    elif damage == "not finite":
        content["axes"] = content["axes"] * float("nan")
    else:
        content["limit"] = 0.0
    with pytest.raises(ModelFileError, match="calibration in the model file"):
        UncertaintyEstimator.from_dict(content, scaler)


def test_a_property_without_references_and_a_single_crystal_do_no_harm(fit, make, scaler):
    one = make(6, 1)
    estimator = fit(one)
    assert estimator.difficulty(one.features).shape == (1, 2)
    assert np.isfinite(estimator.novelty(np.full((1, 24), np.nan, np.float32))).all(), "its prediction is refused"
    assert estimator.difficulty(np.empty((0, 24), np.float32)).shape == (0, 2)
