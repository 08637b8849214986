"""CSV that spreadsheets and terminals read as text: no cell is a formula, and none acts on a terminal."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from phase2.output.visible import visible

Cell = str | float | int | None

_FORMULA = re.compile(r"\s*'*\s*[=+\-@\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|nan)")


def csv_cell(value: Cell) -> str:
    """Write one cell: all digits of a number, nothing for None, and text that no spreadsheet takes for a formula.

    Text that begins with one of ``= + - @`` gets an apostrophe in front, as in a spreadsheet; so does text that has
    one already, which keeps different texts different. A number written as text is a number.

    Example:
        >>> csv_cell("=1+1"), csv_cell(-1.5), csv_cell("-1.5"), csv_cell("NaCl")
        ("'=1+1", '-1.5', '-1.5', 'NaCl')
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return repr(float(value)) if isinstance(value, float) else str(value)
    text = visible(value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def text_of_cell(cell: str) -> str:
    """Return the text that :func:`csv_cell` wrote, with hidden characters still visible."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def write_csv(file: IO[str], rows: Iterable[Sequence[Cell]], *, end: str = "\n") -> None:
    """Write rows to a file that was opened with ``newline=""``."""
    csv.writer(file, lineterminator=end).writerows([csv_cell(value) for value in row] for row in rows)


def read_csv(file: Iterable[str], separator: str = ",") -> Iterator[list[str]]:
    """Yield the rows that :func:`write_csv` wrote, or those of a table with another separator.

    Raises:
        ValueError: The text is no CSV.
    """
    try:
        for row in csv.reader(file, delimiter=separator, strict=True):
            yield [text_of_cell(cell) for cell in row]
    except csv.Error as error:
        raise ValueError(str(error)) from error
