"""Errors of probabilities with bootstrap intervals."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from phase2.evaluation.probabilities import measure_probabilities
from phase2.properties import Property
from phase2.training.binary_metrics import evaluate_binary

MEASURES = ("log_loss", "roc_auc", "accuracy", "f1")
METAL = Property("metal", "metal", "Metal", "", "none", "core", non_negative=False, task="binary")


def drawn(n, seed=1, digits=2):
    """Draw labels, and probabilities of which many are equal."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.4).astype(np.float64)
    return truth, np.round(0.3 * truth + 0.7 * rng.random(n), digits)


def scores(truth, chance):
    chosen = (chance >= 0.5).astype(int)
    return (
        log_loss(truth, chance, labels=[0, 1]),
        roc_auc_score(truth, chance),
        accuracy_score(truth, chosen),
        f1_score(truth, chosen),
    )


@pytest.mark.parametrize("digits", [1, 2, 12])
def test_the_numbers_are_those_of_scikit_learn_whatever_is_tied(digits):
    truth, chance = drawn(300, digits=digits)
    found = measure_probabilities(truth, chance, resamples=0)
    assert [getattr(found, name).value for name in MEASURES] == pytest.approx(scores(truth, chance))


def test_they_are_those_that_a_training_records():
    truth, chance = drawn(80)
    truth[:7] = np.nan
    found = measure_probabilities(truth, chance)
    recorded = evaluate_binary(METAL, chance, truth, np.full(80, 0.4))
    assert found.count == recorded.count == 73
    for name in MEASURES:
        assert getattr(found, name).value == pytest.approx(getattr(recorded, name))


def test_intervals_are_those_of_resamples_drawn_one_by_one():
    truth, chance = drawn(60)
    draw, samples = np.random.default_rng(3), []
    for _ in range(1500):
        rows = draw.integers(60, size=60)
        samples.append(scores(truth[rows], chance[rows]))
    found = measure_probabilities(truth, chance, resamples=4000)
    for name, values in zip(MEASURES, np.array(samples).T, strict=True):
        one = getattr(found, name)
        assert one.low == pytest.approx(np.quantile(values, 0.025), abs=0.02)
        assert one.high == pytest.approx(np.quantile(values, 0.975), abs=0.02)
        assert one.low < one.value < one.high


def test_equal_seeds_give_equal_intervals_and_blocks_change_nothing(monkeypatch):
    truth, chance = drawn(60)
    whole = measure_probabilities(truth, chance)
    monkeypatch.setattr("phase2.evaluation.bootstrap._COUNTS", 60 * 7)
    assert measure_probabilities(truth, chance) == whole
    assert measure_probabilities(truth, chance, seed=1) != whole


def test_what_cannot_be_measured_is_none():
    nothing = measure_probabilities(np.array([np.nan]), np.array([0.5]))
    assert (nothing.count, nothing.log_loss.value, nothing.f1.value) == (0, None, None)
    false = measure_probabilities(np.zeros(5), np.array([0.0, 0.1, 0.2, 0.3, 0.9]))
    assert (false.roc_auc.value, false.roc_auc.low, false.f1.value) == (None, None, None)
    assert false.accuracy.value == pytest.approx(0.8)
    sure = measure_probabilities(np.array([1.0, 0.0]), np.array([0.0, 0.0]), resamples=0)
    assert sure.log_loss.value == pytest.approx(log_loss([1, 0], [0.0, 0.0], labels=[0, 1]))
