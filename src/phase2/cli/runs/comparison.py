"""The runs of a sweep side by side, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from phase2.cli.store import opened

if TYPE_CHECKING:
    from phase2.runs.catalog.ranking import RunRow


def print_finished(run_ids: Sequence[str], store: str | None) -> None:
    """Print those of several runs that are finished in a store, the best first.

    Raises:
        DataError: None is.
    """
    from phase2.runs.catalog.ranking import finished_rows

    print_comparison(finished_rows(opened(store), run_ids))


def print_comparison(rows: Sequence[RunRow]) -> tuple[str, list[str]]:
    """Print runs ranked by validation score.

    Returns:
        The table in Markdown, and the ids, the best first.

    Raises:
        DataError: There is none.
    """
    from phase2.runs.catalog.ranking import ranked, rows_table

    best_first = ranked(rows)
    table, ids = rows_table(best_first), [row.run_id for row in best_first]
    typer.echo(table)
    typer.echo(f"best: {ids[0]}")
    return table, ids
