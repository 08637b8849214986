"""Printing lists of runs as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note, print_table
from phase2.cli.options import split_names
from phase2.cli.store import print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phase2.runs.catalog.summary import RunSummary

ROWS = 50

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
        columns: Names of columns, separated by commas.
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
    headings = [column.heading for column in chosen]
    rows = [[column.text(run) for column in chosen] for run in shown]
    if rows:
        print_table("", headings, rows, numeric=[column.heading for column in chosen if column.numeric])
    if len(shown) < len(runs):
        note(f"{len(runs) - len(shown)} more of {len(runs)}: --limit 0 shows all")
    if not runs:
        note("no run")
