"""Columns of lists of runs: what each shows, and the order it gives runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from phase2.config.data.addresses import is_in_bucket, is_on_server, shown_address
from phase2.errors import UnknownNameError
from phase2.properties import KEYS
from phase2.runs.catalog.measures import error_name, is_mixed, own_error
from phase2.runs.catalog.summary import AnyRun, RunSummary
from phase2.runs.report.markdown import number

Value = str | float | datetime | None

_MAE = "mae"


@dataclass(frozen=True, slots=True)
class RunColumn:
    """One column of a list of runs.

    Attributes:
        name: Name that selects it and sorts by it.
        heading: Its heading, with the unit.
        value: Returns what is sorted by; None where a run has none.
        text: Returns what is shown.
        numeric: Whether it is right-aligned.
    """

    name: str
    heading: str
    value: Callable[[RunSummary], Value]
    text: Callable[[RunSummary], str]
    numeric: bool = False

    @property
    def is_error(self) -> bool:
        """Whether it is the validation error of a property."""
        return self.name.startswith(f"{_MAE}:")


def _shown(value: Value) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _shown_source(source: str) -> str:
    """Return a data set as a list shows it: a path of a machine without its folders."""
    is_path = not (is_in_bucket(source) or is_on_server(source))
    return source.rstrip("/").rpartition("/")[2] if is_path else source


def _column(name: str, value: Callable[[RunSummary], Value], heading: str = "", *, numeric: bool = False) -> RunColumn:
    return RunColumn(name, heading or name, value, lambda run: _shown(value(run)), numeric)


COLUMNS: Mapping[str, RunColumn] = {
    column.name: column
    for column in (
        _column("run", lambda run: run.run_id),
        _column("family", lambda run: run.family),
        _column("algorithm", lambda run: run.algorithm),
        _column("level", lambda run: run.mode),
        _column("status", lambda run: run.state),
        _column("started", lambda run: run.started, "started (UTC)"),
        _column("ended", lambda run: run.ended, "ended (UTC)"),
        RunColumn("data", "data", lambda run: run.source, lambda run: _shown_source(shown_address(run.source or "-"))),
        _column("crystals", lambda run: run.crystals, numeric=True),
        _column("split", lambda run: run.split),
        _column("seed", lambda run: run.seed, numeric=True),
        _column("epochs", lambda run: run.epochs, numeric=True),
        _column("best_epoch", lambda run: run.best_epoch, "best epoch", numeric=True),
        _column("rate", lambda run: run.lr, numeric=True),
        RunColumn("score", "score", lambda run: run.score, lambda run: number(run.score), numeric=True),
        _column("properties", lambda run: ", ".join(run.properties)),
        RunColumn("size", "size [MB]", lambda run: run.size, lambda run: f"{run.size / 1e6:.1f}", numeric=True),
    )
}
DEFAULT_COLUMNS = ("run", "family", "level", "status", "started", "data", "seed", "epochs", "rate", "score", _MAE)


def error_column(key: str, runs: Sequence[RunSummary]) -> RunColumn:
    """Return the column of the validation error of a property; its heading says which error it is, and the unit.

    Args:
        key: The property.
        runs: The runs to show. Where they differ in the unit, it stands beside each number.
    """
    mixed = is_mixed(key, runs)

    def text(run: RunSummary) -> str:
        shown = number(run.val_errors.get(key))
        return f"{shown} {own_error(key, run)}".strip() if mixed and key in run.val_errors else shown

    heading = f"val {error_name(key, runs)}"
    return RunColumn(f"{_MAE}:{key}", heading, lambda run: run.val_errors.get(key), text, numeric=True)


def choose_columns(names: Sequence[str], runs: Sequence[RunSummary]) -> list[RunColumn]:
    """Return columns by their names, each once.

    Args:
        names: Names such as ``seed`` or ``mae:band_gap``; ``mae`` is all properties that any of the runs has errors of,
            which is the log loss of a binary one.
        runs: The runs to show.

    Raises:
        UnknownNameError: There is no such column or property.
    """
    errors = [error_column(key, runs) for key in dict.fromkeys(key for run in runs for key in run.val_errors)]
    found = [column for name in names for column in (errors if name == _MAE else [find_column(name, runs)])]
    return list({column.name: column for column in found}.values())


def find_column(name: str, runs: Sequence[RunSummary]) -> RunColumn:
    """Return a column by its name.

    Raises:
        UnknownNameError: There is no such column, or no such property, be it one of the nine or of the runs.
    """
    kind, _, key = name.partition(":")
    if kind == _MAE and key:
        known = dict.fromkeys([*KEYS, *(key for run in runs for key in run.properties)])
        if key not in known:
            raise UnknownNameError.of("property", key, list(known))
        return error_column(key, runs)
    if name not in COLUMNS:
        raise UnknownNameError.of("column", name, (*COLUMNS, f"{_MAE}:PROPERTY"))
    return COLUMNS[name]


def sort_runs(runs: Sequence[AnyRun], name: str, *, reverse: bool = False) -> list[AnyRun]:
    """Sort runs by a column, the lowest value first; those without one come last, whatever the direction.

    Args:
        runs: The runs; those with equal values stay in this order.
        name: Name of the column.
        reverse: Whether the highest value comes first.

    Raises:
        UnknownNameError: There is no such column or property.
    """
    value = find_column(name, runs).value
    known = [(found, run) for run in runs if (found := value(run)) is not None]
    ordered = sorted(known, key=lambda pair: pair[0], reverse=reverse)
    return [run for _, run in ordered] + [run for run in runs if value(run) is None]
