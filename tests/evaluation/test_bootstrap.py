"""Errors with bootstrap intervals."""

import numpy as np
import pytest

from phase2.evaluation.bootstrap import measure_errors


def drawn(n, seed=1):
    rng = np.random.default_rng(seed)
    labels = rng.normal(3.0, 2.0, n)
    return labels, labels + rng.normal(0.0, 0.5, n)


def test_the_numbers_are_those_of_their_definitions():
    labels, predicted = drawn(400)
    errors = measure_errors(labels, predicted)
    assert errors.count == 400
    assert errors.mae.value == pytest.approx(np.abs(predicted - labels).mean())
    assert errors.rmse.value == pytest.approx(np.sqrt(((predicted - labels) ** 2).mean()))
    spread = ((labels - labels.mean()) ** 2).sum()
    assert errors.r2.value == pytest.approx(1 - ((predicted - labels) ** 2).sum() / spread)


def test_intervals_are_those_of_resamples_drawn_one_by_one():
    labels, predicted = drawn(50)
    draw, maes, r2s = np.random.default_rng(3), [], []
    for _ in range(4000):
        rows = draw.integers(50, size=50)
        y, e = labels[rows], (predicted - labels)[rows]
        maes.append(np.abs(e).mean())
        r2s.append(1 - (e**2).sum() / ((y - y.mean()) ** 2).sum())
    errors = measure_errors(labels, predicted, resamples=4000)
    for found, values in ((errors.mae, maes), (errors.r2, r2s)):
        assert found.low == pytest.approx(np.quantile(values, 0.025), rel=0.05)
        assert found.high == pytest.approx(np.quantile(values, 0.975), rel=0.05)


def test_intervals_hold_the_true_error_about_as_often_as_they_say():
    true = 0.5 * np.sqrt(2 / np.pi)
    inside = 0
    for seed in range(200):
        found = measure_errors(*drawn(100, seed), resamples=300).mae
        inside += found.low <= true <= found.high
    assert 0.88 <= inside / 200 <= 0.99


def test_equal_seeds_give_equal_intervals_and_blocks_change_nothing(monkeypatch):
    labels, predicted = drawn(60)
    whole = measure_errors(labels, predicted)
    monkeypatch.setattr("phase2.evaluation.bootstrap._COUNTS", 60 * 7)
    assert measure_errors(labels, predicted) == whole
    assert measure_errors(labels, predicted, seed=1) != whole


def test_what_cannot_be_measured_is_none():
    nothing = measure_errors(np.array([np.nan, 1.0]), np.array([1.0, np.nan]))
    assert (nothing.count, nothing.mae.value, nothing.r2.low) == (0, None, None)
    one = measure_errors(np.array([2.0]), np.array([2.5]))
    assert (one.mae.value, one.mae.low, one.r2.value) == (0.5, None, None)
    equal = measure_errors(np.full(30, 4.0), np.linspace(3, 5, 30))
    assert equal.r2.value is None
    assert equal.r2.low is None
    assert (np.diff(np.array([equal.mae.low, equal.mae.value, equal.mae.high], dtype=float)) > 0).all()
    assert measure_errors(*drawn(10), resamples=0).mae.low is None


def test_r2_of_labels_far_from_zero_keeps_its_digits():
    labels, predicted = drawn(100)
    far = measure_errors(labels + 1e6, predicted + 1e6, resamples=0).r2.value
    assert far == pytest.approx(measure_errors(labels, predicted, resamples=0).r2.value, rel=1e-6)
