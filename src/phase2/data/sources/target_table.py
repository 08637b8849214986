"""The CSV of targets: which labels belong to which structure file."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.shown import shown
from phase2.data.sources.base import MISSING_VALUES, read_label
from phase2.data.sources.table_rows import TableRow, read_rows
from phase2.errors import DataError, InvalidCrystalError
from phase2.properties import PROPERTIES, Property

log = logging.getLogger(__name__)

_HEADING = re.compile(r"^(?P<name>.*?)\s*(?:\[(?P<unit>.*)\])?$")


@dataclass(frozen=True, slots=True)
class TargetRow:
    """Row of the CSV, as text.

    Attributes:
        file: Path of the structure file, "" if the table has no such column.
        id: Name of the crystal, "" if the table has no such column.
        labels: The labels in the order of the properties, "" where missing.
        defect: Why the row cannot be used, "" for none.
        limit: Whether the defect is that it exceeds a limit of reading.
    """

    file: str
    id: str
    labels: tuple[str, ...]
    defect: str = ""
    limit: bool = False


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns of the file, the id and the properties."""

    file: int | None
    id: int | None
    labels: dict[int, Property]


def read_target_table(
    table: Path, limits: ReadingLimits = DEFAULT_LIMITS, properties: Sequence[Property] = PROPERTIES
) -> list[TargetRow]:
    """Read a CSV with a column ``file`` or ``id`` and a column for each property.

    A property is named by its key or column, with or without the unit (``band_gap [eV]``). Other columns are
    ignored with a note in the log, unless they look like a misspelt property. A row that is damaged costs itself alone.

    Raises:
        DataError: The file cannot be read, its headings are wrong, no row can be used, or a column of a property holds
            no number at all.
        LimitExceededError: It has too many bytes, columns or rows.
    """
    headings, rows = read_rows(table, limits)
    columns = _parse_headings(table, headings, properties)
    _check_columns(table, columns, [row.cells for row in rows if not row.defect])
    return [_row(row, columns, properties) for row in rows]


def _row(row: TableRow, columns: _Columns, properties: Sequence[Property]) -> TargetRow:
    if row.defect:
        return TargetRow("", f"row-{row.number}", (), row.defect, row.limit)
    cells = row.cells
    labels = {p.key: cells[column] for column, p in columns.labels.items()}
    return TargetRow(
        file="" if columns.file is None else cells[columns.file].strip(),
        id="" if columns.id is None else cells[columns.id].strip(),
        labels=tuple(labels.get(p.key, "") for p in properties),
    )


def _parse_headings(table: Path, headings: Sequence[str], properties: Sequence[Property]) -> _Columns:
    columns: dict[str, int] = {}
    labels: dict[int, Property] = {}
    for column, heading in enumerate(headings):
        match = _HEADING.match(heading.strip())
        name = match["name"].lower() if match else ""
        prop = next((p for p in properties if name in {p.key, p.column.lower()}), None)
        if prop is None and name not in {"file", "id"}:
            _refuse_misspelt(table, name, properties)
            log.warning("%s: column '%s' is no property and is ignored.", table, heading)
            continue
        if prop is not None:
            _check_unit(table, heading, match["unit"] if match else None, prop)
            labels[column] = prop
        if columns.setdefault(prop.key if prop else name, column) != column:
            raise DataError(f"{table} has two columns for '{prop.key if prop else name}'.", fix="Keep one of them.")
    if not labels or not {"file", "id"} & columns.keys():
        raise DataError(
            f"{table} has the headings {', '.join(headings)}.",
            why="It needs a column 'file' or 'id', and a column for at least one property.",
            fix=f"Use the headings: file, {', '.join(p.heading for p in properties)}; separate cells by commas.",
        )
    return _Columns(columns.get("file"), columns.get("id"), labels)


def _refuse_misspelt(table: Path, name: str, properties: Sequence[Property]) -> None:
    known = [name for p in properties for name in (p.key, p.column)]
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    if nearest:
        raise DataError(
            f"{table} has a column '{name}', which is no property.",
            why=f"It is close to '{nearest[0]}'.",
            fix=f"Rename it to '{nearest[0]}' if that is meant, or else remove it.",
        )


def _check_unit(table: Path, heading: str, unit: str | None, prop: Property) -> None:
    if unit is not None and unit.strip() != prop.unit:
        raise DataError(
            f"{table} has a column '{heading}', but {prop.title.lower()} has the unit '{prop.unit or 'none'}'.",
            why="phase2 converts no units.",
            fix=f"Convert the values and call the column '{prop.heading}'.",
        )


def _check_columns(table: Path, columns: _Columns, rows: Sequence[Sequence[str]]) -> None:
    """Reject a column without a single number, if most of its records would be rejected for it."""
    for column, prop in columns.labels.items():
        entries = [row[column] for row in rows]
        wrong = [entry for entry in entries if not _is_label(entry, prop)]
        if 2 * len(wrong) > len(entries) and all(_is_label(entry, prop) <= _is_missing(entry) for entry in entries):
            raise DataError(
                f"{table} has no number in the column of {prop.key}; the first entry is {shown(wrong[0])}.",
                why=f"The {prop.title.lower()} is a number" + (f" in {prop.unit}." if prop.unit else "."),
                fix="Correct the column or remove it; a decimal point is a point.",
            )


def _is_missing(text: str) -> bool:
    return text.strip().lower() in MISSING_VALUES


def _is_label(text: str, prop: Property) -> bool:
    try:
        read_label(text, prop, "")
    except InvalidCrystalError:
        return False
    return True
