"""Widths of the columns of a table that is wider than the terminal: names break at underscores, numbers nowhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PIECE = re.compile(r"[^_/\s]*[_/]*")
_NARROW = 6
"""Characters to which a column of words may shrink, whatever its words are."""
_WIDEST = 16
"""Characters of the longest piece of a word that is kept whole: paths and digests are folded."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Widths of columns.

    Attributes:
        padding: Blanks left and right of a column, beside the one between columns.
        widths: Characters of each column.
    """

    padding: tuple[int, int]
    widths: tuple[int, ...]


def fit_columns(
    headings: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[str], width: int
) -> Layout | None:
    """Choose the widths of columns for a terminal.

    Args:
        headings: Headings of the columns.
        rows: Cells, row by row.
        numeric: Headings of columns of numbers.
        width: Characters of a line.

    Returns:
        The widths; None where the table fits as it is, or where there is no room for its numbers.
    """
    cells = [[row[k] for row in rows] for k in range(len(headings))]
    whole = [max(map(len, (name, *column))) for name, column in zip(headings, cells, strict=True)]
    if sum(whole) + _between(len(whole), (1, 1)) <= width:
        return None
    by_word = list(map(_longest_piece, headings))
    uncut = [max([size, *map(len, column)]) for size, column in zip(by_word, cells, strict=True)]
    least = [
        max([size, *map(_longest_word if name in numeric else _longest_piece, column)])
        for size, name, column in zip(by_word, headings, cells, strict=True)
    ]
    for sizes in (uncut, least):
        for padding in ((1, 1), (0, 1), (0, 0)):
            room = width - _between(len(sizes), padding)
            if sum(sizes) <= room:
                return Layout(padding, _spread(sizes, whole, room))
    words = [k for k, name in enumerate(headings) if name not in numeric]
    while sum(least) > room:
        widest = max(words, key=least.__getitem__, default=None)
        if widest is None or least[widest] <= _NARROW:
            return None
        least[widest] -= 1
    return Layout((0, 0), tuple(least))


def fits_uncut(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Return whether a table fits a terminal with every cell on one line; only headings are broken.

    Args:
        headings: Headings of the columns.
        rows: Cells, row by row.
        width: Characters of a line.
    """
    least = [max([_longest_piece(name), *(len(row[k]) for row in rows)]) for k, name in enumerate(headings)]
    return sum(least) + _between(len(least), (0, 0)) <= width


def broken(text: str, width: int) -> str:
    r"""Break the words of a text that are longer than a line after their underscores and slashes.

    Example:
        >>> broken("formation_energy of 3", 10)
        'formation_\nenergy of 3'
    """
    return " ".join(_broken_word(word, width) if len(word) > width else word for word in text.split(" "))


def _broken_word(word: str, width: int) -> str:
    lines = [""]
    for piece in _PIECE.findall(word):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def _longest_piece(text: str) -> int:
    return min(_WIDEST, max(map(len, _PIECE.findall(text))))


def _between(columns: int, padding: tuple[int, int]) -> int:
    """Characters of a line that are of no column: the edges, a blank between columns, and their padding."""
    return 2 + (columns - 1) * (1 + sum(padding))


def _spread(least: Sequence[int], whole: Sequence[int], room: int) -> tuple[int, ...]:
    """Divide what is left of a line: columns that lack little get all of it, the others equal shares."""
    widths, spare = list(least), room - sum(least)
    by_lack = sorted(range(len(least)), key=lambda k: whole[k] - least[k])
    for place, k in enumerate(by_lack):
        more = min(whole[k] - least[k], spare // (len(by_lack) - place))
        widths[k] += more
        spare -= more
    return tuple(widths)
