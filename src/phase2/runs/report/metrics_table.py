"""The table of errors by property, beside the median baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from phase2.runs.report.markdown import number, table
from phase2.runs.results import PropertyMetrics


@dataclass(frozen=True, slots=True)
class MetricsRow:
    """One property's row of the table; None where there is no number.

    Attributes:
        key: The property.
        unit: Its unit.
        val_mae: Validation MAE.
        test_mae: Test MAE.
        baseline_mae: Test MAE of the median baseline.
        times_better: Baseline MAE / MAE on the test part: 2 is half the median's error.
        r2: R2 on the test part.
        count: Test labels.
    """

    key: str
    unit: str
    val_mae: float | None
    test_mae: float | None
    baseline_mae: float | None
    times_better: float | None
    r2: float | None
    count: int


def metrics_table(val: Sequence[PropertyMetrics], test: Sequence[PropertyMetrics]) -> str:
    """Write the errors by property as a Markdown table, beside the median baseline."""
    columns = ("property", "unit", "val MAE", "test MAE", "median's test MAE", "times better", "test R2", "test labels")
    rows = [
        (
            row.key,
            row.unit or "-",
            number(row.val_mae),
            number(row.test_mae),
            number(row.baseline_mae),
            number(row.times_better),
            number(row.r2),
            str(row.count),
        )
        for row in metrics_rows(val, test)
    ]
    return table(columns, rows, numeric=6)


def metrics_rows(val: Sequence[PropertyMetrics], test: Sequence[PropertyMetrics]) -> list[MetricsRow]:
    """Pair the errors of the two parts, one row per property."""
    return [
        MetricsRow(
            key=on_test.key,
            unit=on_test.unit,
            val_mae=on_val.mae,
            test_mae=on_test.mae,
            baseline_mae=on_test.baseline_mae,
            times_better=on_test.baseline_mae / on_test.mae if on_test.baseline_mae and on_test.mae else None,
            r2=on_test.r2,
            count=on_test.count,
        )
        for on_val, on_test in zip(val, test, strict=True)
    ]
