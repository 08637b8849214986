"""Rows of a CSV, of which a damaged one costs itself alone."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.formats.text import has_long_line, read_bytes
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


def read_rows(table: Path, limits: ReadingLimits) -> tuple[list[str], list[TableRow]]:
    """Read a CSV in UTF-8.

    Returns:
        The headings, and the rows that are not empty.

    Raises:
        DataError: The file cannot be read, its headings are damaged, or all of its rows are.
        LimitExceededError: It has too many bytes, columns or rows.
    """
    content = read_bytes(table, limits, "table_bytes")
    if content.count(b"\n") > limits.records:
        raise limits.exceeded("records", str(table), "it has more rows")
    filled = list(_filled_rows(content, limits))
    if len(filled) < 2:
        raise DataError(f"{table} has no rows.", why="It needs headings and a row for each structure.", fix="Fill it.")
    first, *rows = filled
    if first.defect:
        raise _damaged(table, first)
    if len(first.cells) > limits.columns:
        raise limits.exceeded("columns", str(table), f"it has {len(first.cells):,} columns")
    checked = [_with_width(row, len(first.cells)) for row in rows]
    if all(row.defect for row in checked):
        raise _damaged(table, checked[0])
    return first.cells, checked


def _filled_rows(content: bytes, limits: ReadingLimits) -> Iterator[TableRow]:
    text = content.decode("utf-8-sig", "surrogateescape")
    if not has_long_line(content, limits) and _NO_UTF8.search(text) is None:
        try:
            lines = enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), start=1)
            yield from [TableRow(number, cells) for number, cells in lines if _is_filled(cells)]
            return
        except csv.Error:
            pass  # each line by itself, to find the damaged ones
    for number, line in enumerate(_LINE_END.split(text), start=1):
        row = _parse_line(number, line, limits)
        if row.defect or _is_filled(row.cells):
            yield row


def _parse_line(number: int, line: str, limits: ReadingLimits) -> TableRow:
    if len(line) > limits.line_length:
        error = limits.exceeded("line_length", "", f"It has {len(line):,} characters in row {number}")
        return TableRow(number, [], f"{error.why} {error.fix}", limit=True)
    if found := _NO_UTF8.search(line):
        return TableRow(number, [], f"It holds the byte {ord(found[0]) - 0xDC00:#04x} in row {number}, no UTF-8.")
    try:
        return TableRow(number, next(csv.reader([line], strict=True), []))
    except csv.Error as error:
        return TableRow(number, [], f"It is no CSV in row {number}: {error}.")


def _with_width(row: TableRow, width: int) -> TableRow:
    if row.defect or len(row.cells) == width:
        return row
    defect = f"It has {len(row.cells)} cells in row {row.number}, and there are {width} headings; "
    return TableRow(row.number, [], defect + "a cell that holds a comma stands in quotes.")


def _is_filled(cells: list[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _damaged(table: Path, row: TableRow) -> DataError:
    return DataError(f"{table} is no valid CSV.", why=row.defect, fix="Correct it, and save it as CSV UTF-8.")
