"""The table of errors by property, beside those of the baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from phase2.runs.records.baselines import PropertyBaseline
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.markdown import number, table
from phase2.runs.report.tables.binary import binary_table


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
        boosting_val_mae: Validation MAE of gradient boosting.
        boosting_test_mae: Its test MAE.
    """

    key: str
    unit: str
    val_mae: float | None
    test_mae: float | None
    baseline_mae: float | None
    times_better: float | None
    r2: float | None
    count: int
    boosting_val_mae: float | None = None
    boosting_test_mae: float | None = None


def metrics_table(
    val: Sequence[PropertyMetrics], test: Sequence[PropertyMetrics], baselines: Sequence[PropertyBaseline] = ()
) -> str:
    """Write the errors by property as a Markdown table, beside those of the baselines that were computed.

    Binary properties have a table of their own behind it.
    """
    boosting = ("boosting's val MAE", "boosting's test MAE") if baselines else ()
    columns = (
        *("property", "unit", "val MAE", "test MAE", *boosting),
        *("median's test MAE", "times better", "test R2", "test labels"),
    )
    rows = [
        (
            row.key,
            row.unit or "-",
            number(row.val_mae),
            number(row.test_mae),
            *map(number, (row.boosting_val_mae, row.boosting_test_mae) if baselines else ()),
            number(row.baseline_mae),
            number(row.times_better),
            number(row.r2),
            str(row.count),
        )
        for row in metrics_rows(val, test, baselines)
    ]
    found = table(columns, rows, numeric=6 + len(boosting)) if rows else ""
    return "\n\n".join(filter(None, (found, binary_table(val, test))))


def metrics_rows(
    val: Sequence[PropertyMetrics], test: Sequence[PropertyMetrics], baselines: Sequence[PropertyBaseline] = ()
) -> list[MetricsRow]:
    """Pair the errors of the two parts and those of gradient boosting, one row per property that is not binary."""
    boosting = {one.key: (one.boosting_val_mae, one.boosting_test_mae) for one in baselines}
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
            boosting_val_mae=boosting.get(on_test.key, (None, None))[0],
            boosting_test_mae=boosting.get(on_test.key, (None, None))[1],
        )
        for on_val, on_test in zip(val, test, strict=True)
        if not on_test.is_binary
    ]
