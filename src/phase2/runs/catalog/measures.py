"""Names of the validation errors that runs are listed and ranked by."""

from __future__ import annotations

from collections.abc import Iterable

from phase2.properties import error_unit
from phase2.runs.catalog.summary import RunSummary


def error_name(key: str, runs: Iterable[RunSummary]) -> str:
    """Return ``MAE of band_gap [eV]``, or ``log loss of metal`` where a property is binary.

    The unit is the one that the runs recorded. Where they differ in it, or some define the property as binary, it is
    ``error of metal``, and :func:`own_error` says what each number is.
    """
    listed = list(runs)
    names = dict.fromkeys(_name(key, run) for run in listed if key in run.val_errors)
    if len(names) > 1:
        return f"error of {key}"
    return next(iter(names), None) or _with_unit(f"MAE of {key}", error_unit(key, {}))


def is_mixed(key: str, runs: Iterable[RunSummary]) -> bool:
    """Return whether the errors of a property are in several units, or of several kinds."""
    return len({_name(key, run) for run in runs if key in run.val_errors}) > 1


def own_error(key: str, run: RunSummary) -> str:
    """Return the unit of a run's error of a property; ``log loss`` for a binary one."""
    return "log loss" if key in run.val_log_loss else error_unit(key, run.own_units)


def _name(key: str, run: RunSummary) -> str:
    return f"log loss of {key}" if key in run.val_log_loss else _with_unit(f"MAE of {key}", own_error(key, run))


def _with_unit(name: str, unit: str) -> str:
    return f"{name} [{unit}]" if unit else name
