"""What the command line prints and asks: errors in three lines, notes, tables, confirmations."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from phase2.cli.table_width import broken, fit_columns
from phase2.errors import Phase2Error, RequestError
from phase2.output.secrets import without_secrets
from phase2.output.visible import cell, line, visible_lines

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table


def echo(text: str = "") -> None:
    """Print one line on standard output; hidden characters are visible in it, ends of lines too."""
    _write(line(without_secrets(text)) + "\n")


def echo_text(text: str, *, err: bool = False) -> None:
    """Print a text of any number of lines, with its own end; hidden characters but ends of lines are visible."""
    _write(visible_lines(text), err=err)


def _write(text: str, *, err: bool = False) -> None:
    """Write at once, in the encoding of the stream, which the process boundary has set to escape what it lacks."""
    with _unless_gone():
        print(text, end="", file=sys.stderr if err else sys.stdout, flush=True)


@contextmanager
def _unless_gone() -> Iterator[None]:
    """Go on without a terminal that has gone: what a command does is worth more than what it says."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EIO:
            raise


def echo_encoded(text: str) -> None:
    """Print a line of an encoding that phase2 made itself and another process of it reads, as it is."""
    _write(text + "\n")


def print_error(error: Phase2Error) -> None:
    """Print what happened, why, and the fix, one line each, on standard error."""
    note(f"error: {error.what}")
    if error.why:
        note(f"  why: {error.why}")
    if error.fix:
        note(f"  fix: {error.fix}")


def note(text: str) -> None:
    """Print a note of one line on standard error, apart from the output for pipes."""
    print(line(without_secrets(text)), file=sys.stderr)  # noqa: T201


def confirm(question: str, *, action: str, yes: bool) -> None:
    """Ask for confirmation, and end the command where the answer is no.

    Args:
        question: Question, with its question mark.
        action: What would be done, as a participle: ``removed``.
        yes: Whether it was answered on the command line.

    Raises:
        RequestError: There is no terminal to ask at.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise RequestError(f"Nothing was {action}.", why="There is no terminal to ask at.", fix="Add --yes.")
    if not typer.confirm(line(question), err=True):
        note(f"nothing was {action}")
        raise typer.Exit


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, numeric: Sequence[str] = ()
) -> None:
    """Print a table on standard output; columns named in ``numeric`` are right-aligned and keep their numbers whole."""
    console = _console()
    _print(console, make_table(title, columns, rows, numeric=numeric, width=console.width))


def make_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numeric: Sequence[str] = (),
    width: int | None = None,
) -> Table:
    """Return a table; the arguments are those of :func:`print_table`, and the width of the terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    headings = [cell(column) for column in columns]
    cells = [[cell(without_secrets(each)) for each in row] for row in rows]
    numbers = [cell(column) for column in numeric]
    layout = None if width is None else fit_columns(headings, cells, numbers, width)
    # As Text: rich would parse the unit in "band_gap [eV]" as markup.
    table = Table(
        title=Text(line(without_secrets(title))),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1) if layout is None else (0, layout.padding[1], 0, layout.padding[0]),
    )
    widths = [None] * len(headings) if layout is None else layout.widths
    for name, size in zip(headings, widths, strict=True):
        text = name if size is None else broken(name, size)
        table.add_column(Text(text), justify="right" if name in numbers else "left", overflow="fold", width=size)
    for row in cells:
        texts = [each if size is None else broken(each, size) for each, size in zip(row, widths, strict=True)]
        table.add_row(*map(Text, texts))
    return table


def print_renderable(shown: RenderableType) -> None:
    """Print what rich can lay out, such as a table of :func:`make_table`; lines are long where there is no terminal."""
    _print(_console(), shown)


def terminal_width() -> int | None:
    """Return the characters of a line of the terminal; None where standard output is none, which has room."""
    console = _console()
    return console.width if console.is_terminal else None


def _console() -> Console:
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = 200
    return console


def _print(console: Console, shown: RenderableType) -> None:
    with _unless_gone():
        console.print(shown)
