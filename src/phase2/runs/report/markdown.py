"""Pieces of the pages that a run leaves behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from phase2 import properties
from phase2.runs.results import PropertyResult, result_rows

FEW_LABELS = 30


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: int = 0) -> str:
    """Write a Markdown table; its last ``numeric`` columns are set flush right."""
    rule = ["---"] * (len(columns) - numeric) + ["---:"] * numeric
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in (columns, rule, *rows))


def metrics_table(val: Sequence[PropertyResult], test: Sequence[PropertyResult]) -> str:
    """Write the errors by property, beside the median baseline."""
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
        for row in result_rows(val, test)
    ]
    return table(columns, rows, numeric=6)


def warnings(test: Sequence[PropertyResult], left_out: Sequence[str]) -> list[str]:
    """Name what must not be overlooked before a model is used."""
    return [warning for result in test for warning in _warnings(result)] + [
        f"{_title(key)} was asked for and not trained: the data have no label to train on." for key in left_out
    ]


def bullets(lines: Iterable[str], *, none: str = "none") -> str:
    """Write a Markdown list."""
    return "\n".join(f"- {line}" for line in lines) or f"- {none}"


def number(value: float | None) -> str:
    """Write a number with three digits, or a dash for none."""
    return "-" if value is None else f"{value:.3g}"


def _warnings(result: PropertyResult) -> list[str]:
    title = _title(result.key)
    if result.count == 0:
        return [f"{title} has no test label: nothing is known about its errors."]
    found = []
    if result.mae is None:
        found.append(f"{title} has predictions that are not finite numbers: do not use them.")
    if result.ratio is not None and result.ratio >= 1:
        found.append(
            f"{title} is predicted no better than by the median of the training labels "
            f"({number(result.mae)} against {number(result.baseline_mae)} {result.unit}".rstrip()
            + "): do not use these predictions."
        )
    if result.count < FEW_LABELS:
        labels = "1 test label" if result.count == 1 else f"{result.count} test labels"
        found.append(f"{title} has only {labels}: its errors are uncertain.")
    return found


def _title(key: str) -> str:
    return f"{properties.get_property(key).title} (`{key}`)"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
