"""Rows of a CSV, of which a damaged one costs itself alone."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.formats.text import has_long_line, read_bytes
from phase2.data.sources.tables.dialect import COMMENT, SEPARATORS, Dialect, decode_table, find_dialect
from phase2.errors import DataError

_LINE_END = re.compile(r"\r\n|\r|\n")
_NO_UTF8 = re.compile("[\udc80-\udcff]")  # bytes that are no UTF-8, as surrogateescape decodes them


@dataclass(frozen=True, slots=True)
class TableRow:
    """Row of a CSV.

    Attributes:
        number: Its number in the file, counted from 1.
        cells: As many as there are headings, unless it has a defect.
        defect: Why it cannot be used, "" for none.
        limit: Whether the defect is that it exceeds a limit of reading.
    """

    number: int
    cells: list[str]
    defect: str = ""
    limit: bool = False

    @property
    def is_comment(self) -> bool:
        """Whether the row begins as a comment does."""
        return bool(self.cells) and self.cells[0].lstrip().startswith(COMMENT)


@dataclass(frozen=True, slots=True)
class Table:
    """Content of a CSV.

    Attributes:
        separator: The sign between cells.
        headings: The cells of its first row.
        rows: The rows below it that are neither empty nor a comment.
        comments: Number of comment lines that were left out.
    """

    separator: str
    headings: list[str]
    rows: list[TableRow]
    comments: int


def read_rows(table: Path, limits: ReadingLimits, is_heading: Callable[[str], bool] = lambda _: False) -> Table:
    """Read a CSV in UTF-8, whose cells are separated by commas, semicolons, tabs or vertical bars.

    Args:
        table: The file.
        limits: Limits of reading.
        is_heading: Tells whether a cell is a known heading, by which the separator is found.

    Raises:
        DataError: The file cannot be read, its headings are damaged, or all of its rows are.
        LimitExceededError: It has too many bytes, columns or rows.
    """
    content = read_bytes(table, limits, "table_bytes")
    if content.count(b"\n") > limits.records:
        raise limits.exceeded("records", str(table), "it has more rows")
    dialect = find_dialect(decode_table(table, content), is_heading)
    filled = list(_filled_rows(content, dialect, limits))
    if not filled:
        raise DataError(f"{table} has no rows.", why="It needs headings and a row for each structure.", fix="Fill it.")
    first, *rest = filled
    if first.defect:
        raise _damaged(table, first)
    headings = _without_empty_end(first.cells)
    if len(headings) > limits.columns:
        raise limits.exceeded("columns", str(table), f"it has {len(headings):,} columns")
    checked = [_with_width(row, len(headings), dialect.separator) for row in rest]
    rows = [row for row in checked if not (row.is_comment and row.defect)]
    if rows and all(row.defect for row in rows):
        raise _damaged(table, rows[0])
    return Table(dialect.separator, headings, rows, dialect.comments + len(rest) - len(rows))


def _filled_rows(content: bytes, dialect: Dialect, limits: ReadingLimits) -> Iterator[TableRow]:
    text = dialect.text
    csv.field_size_limit(max(csv.field_size_limit(), limits.file_bytes))  # of a cell that is the text of a structure
    if not has_long_line(content, limits) and _NO_UTF8.search(text) is None:
        try:
            lines = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.separator, strict=True)
            yield from [TableRow(k, cells) for k, cells in enumerate(lines, start=1) if _is_filled(cells)]
            return
        except csv.Error:
            pass  # each line by itself, to find the damaged ones
    for number, line in enumerate(_LINE_END.split(text), start=1):
        row = _parse_line(number, line, dialect.separator, limits)
        if row.defect or _is_filled(row.cells):
            yield row


def _parse_line(number: int, line: str, separator: str, limits: ReadingLimits) -> TableRow:
    begin = [line[:1]] if line.startswith(COMMENT) else []
    if len(line) > limits.line_length:
        error = limits.exceeded("line_length", "", f"It has {len(line):,} characters in row {number}")
        return TableRow(number, begin, f"{error.why} {error.fix}", limit=True)
    if found := _NO_UTF8.search(line):
        return TableRow(number, begin, f"It holds the byte {ord(found[0]) - 0xDC00:#04x} in row {number}, no UTF-8.")
    try:
        return TableRow(number, next(csv.reader([line], delimiter=separator, strict=True), []))
    except csv.Error as error:
        return TableRow(number, begin, f"It is no CSV in row {number}: {error}.")


def _with_width(row: TableRow, width: int, separator: str) -> TableRow:
    if row.defect or len(row.cells) == width:
        return row
    if len(row.cells) > width and not _is_filled(row.cells[width:]):
        return TableRow(row.number, row.cells[:width])
    defect = f"It has {len(row.cells)} cells in row {row.number}, and there are {width} headings; "
    sign = SEPARATORS[separator].removesuffix("s")
    return TableRow(row.number, row.cells[:1], defect + f"a cell that holds a {sign} stands in quotes.")


def _without_empty_end(cells: list[str]) -> list[str]:
    while len(cells) > 1 and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _is_filled(cells: list[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _damaged(table: Path, row: TableRow) -> DataError:
    return DataError(f"{table} is no valid CSV.", why=row.defect, fix="Correct it, and save it as CSV UTF-8.")
