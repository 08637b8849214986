"""The table of errors of binary properties, whose predictions are probabilities."""

from __future__ import annotations

from collections.abc import Sequence

from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.markdown import number, table

COLUMNS = (
    "binary property", "val log loss", "test log loss", "prior's test log loss", "test ROC AUC", "test accuracy",
    "majority's accuracy", "test F1", "test labels",
)  # fmt: skip
"""Headings: the prior is the share of true training labels, the majority the more frequent of them."""


def binary_rows(val: Sequence[PropertyMetrics], test: Sequence[PropertyMetrics]) -> list[tuple[str, ...]]:
    """Return one row per binary property."""
    return [
        (
            on_test.key,
            *map(number, (on_val.log_loss, on_test.log_loss, on_test.baseline_log_loss, on_test.roc_auc)),
            *map(number, (on_test.accuracy, on_test.baseline_accuracy, on_test.f1)),
            str(on_test.count),
        )
        for on_val, on_test in zip(val, test, strict=True)
        if on_test.is_binary
    ]


def binary_table(val: Sequence[PropertyMetrics], test: Sequence[PropertyMetrics]) -> str:
    """Write the errors of the binary properties as a Markdown table; empty where there are none."""
    rows = binary_rows(val, test)
    return table(COLUMNS, rows, numeric=len(COLUMNS) - 1) if rows else ""
