"""Output of the command line: errors in three lines, notes, tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from phase2.errors import Phase2Error


def print_error(error: Phase2Error) -> None:
    """Print what happened, why, and the fix, one line each, on standard error."""
    print(f"error: {error.what}", file=sys.stderr)  # noqa: T201
    if error.why:
        print(f"  why: {error.why}", file=sys.stderr)  # noqa: T201
    if error.fix:
        print(f"  fix: {error.fix}", file=sys.stderr)  # noqa: T201


def note(text: str) -> None:
    """Print a note on standard error, apart from the output for pipes."""
    print(text, file=sys.stderr)  # noqa: T201


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: Sequence[str] = ()
) -> None:
    """Print a table on standard output; columns named in ``numeric`` are right-aligned."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # As Text: rich would parse the unit in "band_gap [eV]" as markup.
    table = Table(title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(Text(column), justify="right" if column in numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console()
    if not console.is_terminal:
        console.width = 200
    console.print(table)
