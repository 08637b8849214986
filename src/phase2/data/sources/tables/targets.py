"""The CSV of targets: which labels belong to which structure file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.formats.records import structure_in_text
from phase2.data.crystals.shown import shown
from phase2.data.sources.base import meaning_of, mending_of, read_label
from phase2.data.sources.missing import FIRST_WORDS, is_missing
from phase2.data.sources.tables.headings import Columns, is_known_heading, parse_headings
from phase2.data.sources.tables.notes import log_once
from phase2.data.sources.tables.numbers import decimal_comma, plain_number, uses_new_words
from phase2.data.sources.tables.rows import Table, TableRow, read_rows
from phase2.errors import DataError, InvalidCrystalError
from phase2.output.csv_text import text_of_cell
from phase2.properties import PROPERTIES, Property

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TargetRow:
    """Row of the CSV, as text.

    Attributes:
        file: Path of the structure file, "" if the table has no such column.
        id: Name of the crystal, "" if the table has no such column.
        labels: The labels in the order and the units of the properties, "" where missing.
        defect: Why the row cannot be used, "" for none.
        limit: Whether the defect is that it exceeds a limit of reading.
        text: Text of its structure, "" where a file holds it.
        may_be_comment: Whether it begins as a comment does: it is one unless there is a file of that name.
    """

    file: str
    id: str
    labels: tuple[str, ...]
    defect: str = ""
    limit: bool = False
    may_be_comment: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class TargetTable:
    """Content of the CSV.

    Attributes:
        rows: Its rows.
        read_anew: Whether version 0.1.0 read other labels in it, or none.
    """

    rows: list[TargetRow]
    read_anew: bool


def read_target_table(
    table: Path, limits: ReadingLimits = DEFAULT_LIMITS, properties: Sequence[Property] = PROPERTIES
) -> TargetTable:
    """Read a CSV with a column ``file`` or ``id`` and a column for each property.

    A property is named by its key, column or title, with or without the unit of the values (``band_gap [meV]``). Cells
    are separated by commas, semicolons, tabs or vertical bars. A row that is damaged costs itself alone.

    Raises:
        DataError: The file cannot be read, its headings are wrong, no row can be used, its numbers have no one meaning,
            or a column of a property holds no number at all.
        LimitExceededError: It has too many bytes, columns or rows.
    """
    content = read_rows(table, limits, lambda cell: is_known_heading(cell, properties))
    columns = parse_headings(table, content, properties)
    if not content.rows:
        raise DataError(f"{table} has no rows.", why="It needs a row for each structure.", fix="Fill it.")
    if content.comments:
        log_once(log, table, f"{content.comments} comment lines are left out.")
    sound = [row.cells for row in content.rows if not row.defect]
    cells = [row[position] for position in dict.fromkeys(one.position for one in columns.labels) for row in sound]
    comma = decimal_comma(table, content.separator, cells)
    rows = [_row(row, columns, properties, comma=comma) for row in content.rows]
    _check_columns(table, columns, sound, rows, properties)
    return TargetTable(rows, _is_read_anew(content, columns, cells))


def _is_read_anew(content: Table, columns: Columns, cells: list[str]) -> bool:
    converted = any(column.factor != 1.0 for column in columns.labels)
    return content.separator != "," or converted or uses_new_words(cells, FIRST_WORDS)


def _row(row: TableRow, columns: Columns, properties: Sequence[Property], *, comma: bool) -> TargetRow:
    if row.defect:
        return TargetRow("", f"row-{row.number}", (), row.defect, row.limit)
    cells = row.cells
    labels = {
        column.property.key: plain_number(cells[column.position], comma=comma, factor=column.factor)
        for column in columns.labels
    }
    text = "" if columns.text is None else cells[columns.text].strip("\r\n")
    if not text and columns.structure is not None and structure_in_text(cells[columns.structure]) is not None:
        text = cells[columns.structure]
    file = "" if columns.file is None else cells[columns.file].strip()
    is_text = "\n" in text or "\r" in text or text.startswith("{")
    return TargetRow(
        file=file or ("" if is_text else text.strip()),
        id="" if columns.id is None else text_of_cell(cells[columns.id].strip()),
        labels=tuple(labels.get(p.key, "") for p in properties),
        may_be_comment=row.is_comment,
        text=text if is_text else "",
    )


def _check_columns(
    table: Path,
    columns: Columns,
    cells: Sequence[Sequence[str]],
    rows: Sequence[TargetRow],
    properties: Sequence[Property],
) -> None:
    """Reject a column without a single number, if most of its records would be rejected for it."""
    for column in columns.labels:
        prop, at = column.property, properties.index(column.property)
        entries = [row.labels[at] for row in rows if not row.defect]
        wrong = [k for k, entry in enumerate(entries) if not _is_label(entry, prop)]
        if 2 * len(wrong) > len(entries) and all(_is_label(entry, prop) <= is_missing(entry) for entry in entries):
            first = cells[wrong[0]][column.position]
            raise DataError(
                f"{table} has no {'true or false' if prop.task == 'binary' else 'number'} in the column of {prop.key}; "
                f"the first entry is {shown(first)}.",
                why=meaning_of(prop),
                fix=mending_of(prop, first, "Correct the column or remove it; a decimal point is a point."),
            )


def _is_label(text: str, prop: Property) -> bool:
    try:
        read_label(text, prop, "")
    except InvalidCrystalError:
        return False
    return True
