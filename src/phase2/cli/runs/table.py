"""Printing lists of runs as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note, print_table, terminal_width
from phase2.cli.options import split_names
from phase2.cli.store import print_json
from phase2.cli.table_width import fits_uncut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phase2.runs.catalog.columns import RunColumn
    from phase2.runs.catalog.summary import RunSummary

ROWS = 50
_LEFT_OUT_FIRST = ("family", "rate", "epochs", "seed", "started", "level", "data")
"""Columns that a narrow terminal does without, the most dispensable first; then errors, from the last property."""

ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns", help="Comma-separated: run, data, split, seed, epochs, rate, score, mae:band_gap, mae, ..."
    ),
]


def print_runs(
    runs: Sequence[RunSummary], limit: int | None, *, columns: str | None = None, also: str = "", as_json: bool
) -> None:
    """Print runs in their order.

    Args:
        runs: The runs.
        limit: Maximum rows of the table; 0 for all, None for the default, which is all as JSON.
        columns: Names of columns, separated by commas; by default the usual ones that the terminal has room for.
        also: A further column, empty for none.
        as_json: Whether to print JSON, with everything that is known of a run.

    Raises:
        UnknownNameError: There is no such column.
    """
    from phase2.runs.catalog.columns import DEFAULT_COLUMNS, choose_columns

    shown = runs[: (ROWS if limit is None else limit) or None]
    names = DEFAULT_COLUMNS if columns is None else split_names(columns)
    chosen = choose_columns([*names, *filter(None, [also])], shown)
    if as_json:
        print_json([run.model_dump(mode="json") for run in runs[: limit or None]])
        return
    width, left_out = terminal_width(), list[str]()
    if columns is None and width is not None:
        chosen, left_out = _that_fit(chosen, shown, width, keep=also)
    headings, rows = _cells(chosen, shown)
    if rows:
        print_table("", headings, rows, numeric=[column.heading for column in chosen if column.numeric])
    if left_out:
        note(f"no room for: {', '.join(left_out)} (--columns shows what it names, and --json everything)")
    if len(shown) < len(runs):
        note(f"{len(runs) - len(shown)} more of {len(runs)}: --limit 0 shows all")
    if not runs:
        note("no run")


def _that_fit(
    chosen: list[RunColumn], runs: Sequence[RunSummary], width: int, *, keep: str
) -> tuple[list[RunColumn], list[str]]:
    """Leave out columns until every cell is on one line; returns what is left, and the names of the others."""
    errors = [column.name for column in reversed(chosen) if column.is_error]
    dispensable = [name for name in (*_LEFT_OUT_FIRST, *errors) if name != keep]
    left, out = chosen, list[str]()
    while dispensable and not fits_uncut(*_cells(left, runs), width):
        name = dispensable.pop(0)
        left, out = [column for column in left if column.name != name], [*out, name]
    return left, out


def _cells(columns: Sequence[RunColumn], runs: Sequence[RunSummary]) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of a table."""
    return [column.heading for column in columns], [[column.text(run) for column in columns] for run in runs]
