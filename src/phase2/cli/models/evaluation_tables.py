"""Printing the errors of ``phase2 evaluate`` as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from phase2.cli.console import echo, note, print_table
from phase2.errors import UnknownNameError
from phase2.evaluation.groups import KINDS, in_order
from phase2.runs.report.markdown import number

if TYPE_CHECKING:
    from phase2.evaluation.result import EvaluatedGroup, EvaluationResult, Number

_SHOWN = ("training", "system", "size", "element")
_MOST = 12
"""Groups of a kind that are printed where the kind was not asked for."""

_NUMERIC = ("labels", "MAE", "RMSE", "R2", "median's MAE", "boosting's MAE")
_OF_BINARY = ("labels", "log loss", "ROC AUC", "accuracy", "F1", "prior's log loss", "majority's accuracy")

_PARTS = {"train": "training part", "val": "validation part", "test": "test part"}
_TITLES = {
    "training": "known to the model or not",
    "system": "crystal system",
    "size": "atoms in the cell",
    "element": "crystals with the element",
    "spacegroup": "space group",
}


def check_kinds(names: Sequence[str] | None) -> Sequence[str] | None:
    """Return the kinds of groups to print; None for the default.

    Raises:
        UnknownNameError: There is no such kind.
    """
    for name in names or ():
        if name not in KINDS:
            raise UnknownNameError.of("kind of crystals", name, KINDS)
    return names


def print_evaluation(result: EvaluationResult, kinds: Sequence[str] | None) -> None:
    """Print errors by property, then by each kind of group.

    Args:
        result: The errors.
        kinds: Kinds of groups to print whole; None for the default, the groups with the most labels of each.
    """
    _print_properties(result)
    for kind in _SHOWN if kinds is None else kinds:
        _print_groups(result, kind, most=_MOST if kinds is None else None)
    drawn = result.intervals
    if drawn.resamples:
        echo(f"[low, high]: {drawn.level:.0%} interval, {drawn.method}, {drawn.resamples} samples, seed {drawn.seed}")
    binary = any(row.is_binary() for row in result.groups)
    echo(
        f"{'median and prior' if binary else 'median'}: of the {result.median_of}; gradient boosting: {result.boosting}"
    )


def _print_properties(result: EvaluationResult) -> None:
    who = ", ".join(result.models) or result.predictions
    where = _PARTS.get(result.part, "crystals with a prediction" if result.predictions else "all labelled crystals")
    title = f"{who} on {result.data}, {where}: {result.crystals:,} crystals"
    of_all = result.of_kind("all")
    rows = [_row(row) for row in of_all if not row.is_binary()]
    binary = [_binary_row(row) for row in of_all if row.is_binary()]
    if rows:
        print_table(title, ("property", "unit", *_NUMERIC), rows, numeric=_NUMERIC)
    if binary:
        print_table("" if rows else title, ("binary property", *_OF_BINARY), binary, numeric=_OF_BINARY)


def _row(row: EvaluatedGroup) -> tuple[str, ...]:
    errors = map(_with_interval, (row.mae, row.rmse, row.r2))
    return row.property, row.unit or "-", f"{row.labels:,}", *errors, number(row.median_mae), number(row.boosting_mae)


def _binary_row(row: EvaluatedGroup) -> tuple[str, ...]:
    errors = map(_with_interval, filter(None, (row.log_loss, row.roc_auc, row.accuracy, row.f1)))
    return row.property, f"{row.labels:,}", *errors, number(row.baseline_log_loss), number(row.baseline_accuracy)


def _print_groups(result: EvaluationResult, kind: str, *, most: int | None) -> None:
    found = result.of_kind(kind)
    names = in_order(kind, list(dict.fromkeys(row.group for row in found)))
    if not names:
        return
    shown = names
    if most is not None and len(names) > most:
        labels = {name: sum(row.labels for row in found if row.group == name) for name in names}
        largest = set(sorted(names, key=lambda name: -labels[name])[:most])
        shown = [name for name in names if name in largest]
    units = {row.property: row.unit for row in found}
    binary = {row.property for row in found if row.is_binary()}
    measures = [f"{'log loss' if key in binary else 'MAE'} of {key}" for key in units]
    headings = [f"{name} [{unit}]" if unit else name for name, unit in zip(measures, units.values(), strict=True)]
    cells = {(row.group, row.property): row for row in found}
    rows = [(name, *(_cell(cells.get((name, key))) for key in units)) for name in shown]
    print_table("", (_TITLES[kind], *headings), rows, numeric=headings)
    if len(shown) < len(names):
        note(f"{len(names) - len(shown)} more: --by {kind} shows all, --format json has them")


def _cell(row: EvaluatedGroup | None) -> str:
    return "-" if row is None else f"{_with_interval(row.error())} ({row.labels:,})"


def _with_interval(found: Number) -> str:
    ends = "" if found.low is None or found.high is None else f" [{number(found.low)}, {number(found.high)}]"
    return f"{number(found.value)}{ends}"
