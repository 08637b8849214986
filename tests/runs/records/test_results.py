"""Results by property, and the table of test predictions."""

import csv

import numpy as np
import pytest

from phase2.runs.records.predictions import write_predictions
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.tables.metrics import metrics_rows


def errors(**changes):
    return {"key": "ehull", "unit": "eV/atom", "count": 3, "mae": 0.5, "rmse": 1.0, "baseline_mae": 2.0} | changes


def test_ratio_is_against_the_median():
    assert PropertyMetrics.from_errors(**errors()).ratio == 0.25


@pytest.mark.parametrize(
    "measured",
    [
        errors(count=0, mae=None, rmse=None, baseline_mae=None),
        errors(baseline_mae=0.0),
        errors(mae=float("inf")),
        errors(mae=float("nan")),
    ],
)
def test_there_is_no_ratio_without_two_finite_numbers(measured):
    result = PropertyMetrics.from_errors(**measured)
    assert result.ratio is None
    assert result.count == measured["count"]
    if measured["mae"] is None or not np.isfinite(measured["mae"]):
        assert result.mae is None


def test_numpy_numbers_become_plain_ones():
    result = PropertyMetrics.from_errors(**errors(mae=np.float64(0.5)))
    assert type(result.mae) is float


def test_rows_pair_the_two_parts(results):
    energy, gap, modulus = metrics_rows(results.val, results.test)
    assert (energy.key, energy.unit, energy.val_mae, energy.test_mae, energy.count) == (
        "formation_energy",
        "eV/atom",
        0.1,
        0.1,
        394,
    )
    assert energy.times_better == pytest.approx(8)
    assert gap.times_better is not None
    assert gap.times_better < 1
    assert (modulus.count, modulus.test_mae, modulus.times_better) == (0, None, None)


def test_table_keeps_every_digit_and_leaves_missing_labels_empty(tmp_path, predictions):
    path = tmp_path / "predictions_test.csv"
    write_predictions(path, predictions)
    with path.open(newline="") as file:
        heading, *rows = csv.reader(file)
    assert heading == [
        *("id", "formula", "formation_energy_reference [eV/atom]", "formation_energy_predicted [eV/atom]"),
        *("dielectric_reference", "dielectric_predicted"),
    ]
    assert [row[0] for row in rows] == ["a", "b", "c,d"]
    values = np.array([[float(field or "nan") for field in row[2:]] for row in rows])
    np.testing.assert_array_equal(values[:, 0::2], predictions.reference)
    np.testing.assert_array_equal(values[:, 1::2], predictions.predicted)
    assert rows[2][2] == ""
