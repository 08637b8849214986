"""Printing the ranking of the runs of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from phase2.cli.console import echo, echo_text
from phase2.cli.store import open_command_store

if TYPE_CHECKING:
    from phase2.runs.catalog.ranking import RunRow


PrintResult = Callable[[Sequence[str], str | None], None]
"""Prints what the finished ones of some runs of a store are together."""


def print_finished(run_ids: Sequence[str], store: str | None) -> None:
    """Print the ranking of those runs that are finished in a store.

    Raises:
        DataError: None is finished.
    """
    from phase2.runs.catalog.ranking import finished_rows

    print_comparison(finished_rows(open_command_store(store), run_ids))


def print_comparison(rows: Sequence[RunRow]) -> tuple[str, list[str]]:
    """Print the ranking of runs by validation score.

    Returns:
        The table in Markdown, and the ids, the best first.

    Raises:
        DataError: There are no runs.
    """
    from phase2.runs.catalog.ranking import best_of_each, ranked, rows_table

    best_first = ranked(rows)
    table, ids = rows_table(best_first), [row.run_id for row in best_first]
    echo_text(f"{table}\n")
    best = best_of_each(best_first)
    if len(best) == 1:
        echo(f"best: {ids[0]}")
    else:
        echo(f"{len(best)} sets of validation crystals, whose scores do not compare; the best of each:")
        for row in best:
            echo(f"best: {row.run_id}, {row.split} split")
    return table, ids
