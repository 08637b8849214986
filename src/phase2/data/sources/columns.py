"""Columns of a data set that are no property, as text: what crystals of one group have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

from phase2.data.sources.base import Source
from phase2.errors import DataError, UnknownNameError


@runtime_checkable
class HasColumns(Protocol):
    """Source whose records have further columns."""

    def rows(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """Yield the id and the cells of each record by column; records without an id of their own are left out."""


def read_column(source: Source, name: str) -> dict[str, str]:
    """Return the cell of each record in a column, by id; "" where a record has none.

    Args:
        source: The data set.
        name: The column.

    Raises:
        DataError: The data set has no columns.
        UnknownNameError: It has no such column; the nearest is offered.
    """
    found: dict[str, str] = {}
    names: dict[str, None] = {}
    is_there = False
    for crystal_id, cells in rows_of(source):
        names |= dict.fromkeys(key for key in cells if key not in names)
        value = cells.get(name)
        is_there = is_there or name in cells
        found.setdefault(crystal_id, "" if value is None else str(value).strip())
    if not is_there:
        raise UnknownNameError.of(f"column of '{source.name}'", name, names)
    return found


def rows_of(source: Source) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Return the rows of a source that has columns.

    Raises:
        DataError: It has none.
    """
    if not isinstance(source, HasColumns):
        raise DataError(
            f"The data set '{source.name}' has no columns that crystals could be grouped by.",
            why="Tables beside structures, and files of records, have some.",
            fix="Use another split, such as composition, or a split file.",
        )
    return source.rows()
