"""How a CSV is written: its encoding, what comes before its headings, and the sign that separates its cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from phase2.errors import DataError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
COMMENT = "#"

_LINE_END = re.compile(r"\r\n|\r|\n")
_EXCEL = re.compile(r"\s*sep=(?P<separator>.)\s*", re.IGNORECASE)
_LOOKED_AT = 1000
"""Lines before the headings at most: comments of a program that wrote the table."""

_ENCODINGS = (
    (b"\xff\xfe", "UTF-16", "Save it as 'CSV UTF-8'; 'Unicode text' of Excel is UTF-16."),
    (b"\xfe\xff", "UTF-16", "Save it as 'CSV UTF-8'; 'Unicode text' of Excel is UTF-16."),
    (b"PK\x03\x04", "a workbook of Excel or a ZIP archive", "Open it, and save the sheet as 'CSV UTF-8'."),
    (b"\xd0\xcf\x11\xe0", "a workbook of Excel", "Open it, and save the sheet as 'CSV UTF-8'."),
    (b"\x1f\x8b", "compressed by gzip", "Decompress it: gzip -d."),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written.

    Attributes:
        text: The table, in which lines that are no rows are empty.
        separator: The sign between cells.
        comments: Number of comment lines before the headings.
    """

    text: str
    separator: str
    comments: int = 0


def decode_table(table: Path, content: bytes) -> str:
    """Decode a table in UTF-8; bytes that are none become lone surrogates, which cost their row.

    Raises:
        DataError: It is of another encoding, or no text.
    """
    for beginning, kind, fix in _ENCODINGS:
        if content.startswith(beginning):
            raise DataError(f"{table} is no CSV in UTF-8.", why=f"It is {kind}.", fix=fix)
    head = content[:400]
    if len(head) > 3 and head.count(b"\0") * 3 > len(head):
        raise DataError(
            f"{table} is no CSV in UTF-8.", why="Every other byte is zero: it is UTF-16.", fix="Save it as 'CSV UTF-8'."
        )
    return content.decode("utf-8-sig", "surrogateescape")


def find_dialect(text: str, is_heading: Callable[[str], bool]) -> Dialect:
    """Find the headings of a table and the sign that separates its cells.

    Before the headings there may be empty lines, comments, and Excel's ``sep=;``. A comment that holds the headings, as
    ``numpy.savetxt`` writes them, is read as these. The separator is the one by which most cells are headings.

    Args:
        text: The table.
        is_heading: Tells whether a cell is a known heading.
    """
    lines, ends = _first_lines(text)
    comments, given = 0, ""
    for number, line in enumerate(lines):
        excel = _EXCEL.fullmatch(line)
        if excel and number < 2:
            given = excel["separator"]
        elif line.lstrip().startswith(COMMENT):
            comments += 1
        elif line.strip():
            break
    else:
        return Dialect(text, ",")
    separator, known = _separator(lines[number:], is_heading, given)
    if not known and comments:
        titles = [k for k in range(number) if lines[k].lstrip().startswith(COMMENT)]
        plain = lines[titles[-1]].lstrip().lstrip(COMMENT)
        commented, known = _separator([plain], is_heading, given)
        if known > 1:
            kept = [plain if k == titles[-1] else "" for k in range(number)]
            return Dialect("\n".join([*kept, text[ends[number] :]]), commented, comments - 1)
    return Dialect("\n" * number + text[ends[number] :], separator, comments)


def _first_lines(text: str) -> tuple[list[str], list[int]]:
    """Return the first lines and where each begins."""
    lines: list[str] = []
    begins: list[int] = []
    at = 0
    while at < len(text) and len(lines) < _LOOKED_AT:
        end = _LINE_END.search(text, at)
        lines.append(text[at : end.start() if end else len(text)])
        begins.append(at)
        at = end.end() if end else len(text)
    return lines, begins


def _separator(lines: list[str], is_heading: Callable[[str], bool], given: str) -> tuple[str, int]:
    """Return the separator, and how many cells of the first line are headings by it."""
    known = {sign: sum(map(is_heading, cells_of(lines[0], sign))) for sign in SEPARATORS}
    if given in known:
        return given, known[given]
    best = max(SEPARATORS, key=lambda sign: known[sign])
    if known[best]:
        return best, known[best]
    # No headings: a sign other than the comma that is in every line as often is no accident.
    some = [line for line in lines[:20] if line.strip()]
    for sign in (";", "\t", "|"):
        if len({line.count(sign) for line in some}) == 1 and some[0].count(sign):
            return sign, 0
    return ",", 0


def cells_of(line: str, separator: str) -> list[str]:
    """Return the cells of one line; a quote that is not closed is a sign like others."""
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return line.split(separator)
