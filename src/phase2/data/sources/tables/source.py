"""A CSV of structures and labels as a data set: each row has the text of a CIF or POSCAR."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.formats.records import structure_in_text
from phase2.data.crystals.formats.schemas import FoundStructure
from phase2.data.crystals.formats.text import read_bytes
from phase2.data.crystals.readers import read_structure
from phase2.data.sources.base import (
    LabelledCrystal,
    PathSource,
    RawRecord,
    bounded_name,
    escape_unprintable,
    read_label,
)
from phase2.data.sources.tables.headings import is_known_heading
from phase2.data.sources.tables.rows import Table, read_rows
from phase2.data.sources.tables.targets import TargetRow, TargetTable, read_target_table
from phase2.errors import DataError, InvalidCrystalError

TABLE_SUFFIXES = (".csv", ".tsv")


class TableSource(PathSource):
    """Source of the rows of a CSV, whose column ``cif`` or ``poscar`` has the text of each structure.

    Its other columns are those of the CSV of a folder (:class:`phase2.data.sources.folder.FolderSource`).
    """

    isolated = True

    @property
    def table(self) -> Path:
        """The CSV."""
        return self.path

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the file, hexadecimal.

        Raises:
            DataError: It cannot be read.
        """
        return hashlib.sha256(read_bytes(self.table, self.limits, "table_bytes")).hexdigest()

    def column_names(self) -> list[str]:
        """Return the headings of the CSV, without units.

        Raises:
            DataError: There is no CSV, or it cannot be read.
        """
        return [heading.partition("[")[0].strip() for heading in self._cells().headings]

    def records(self) -> Iterator[RawRecord]:
        """Yield a record for each row of the CSV.

        Raises:
            DataError: Its headings or a whole column are wrong, or it has no texts of structures.
            LimitExceededError: It is too large.
        """
        rows = self._targets.rows
        if not any(row.text for row in rows):
            raise DataError(
                f"{self.path} holds no structures.",
                why="Its rows name files, or have no column 'cif' or 'structure' with texts of CIFs or JSON.",
                fix=f"Give the folder of the files: --data {self.path.parent}.",
            )
        seen: set[str] = set()
        for number, row in enumerate(rows):
            if row.text or not row.may_be_comment:
                yield bounded_name(text_record(row, self._name_of(row, number), seen), self.limits)

    def rows(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """See :class:`phase2.data.sources.columns.HasColumns`."""
        content = self._cells()
        for number, (row, as_written) in enumerate(zip(self._targets.rows, content.rows, strict=True)):
            if not row.defect:
                name = escape_unprintable(self._name_of(row, number))
                yield name, dict(zip(content.headings, as_written.cells, strict=False))

    def parse(self, raw: RawRecord) -> LabelledCrystal:
        """Read the structure of one row: its text, or its file.

        Raises:
            InvalidCrystalError: There is no such file, it holds no valid crystal, or a label is no number.
        """
        raw.check()
        targets = self.read_targets(raw)
        structure, _ = cast("tuple[str | FoundStructure, tuple[str, ...]]", raw.content)
        if isinstance(structure, FoundStructure):
            return LabelledCrystal(structure.to_crystal(f"Record '{raw.id}'", raw.id, self.limits), targets)
        try:
            return LabelledCrystal(read_structure(Path(structure), raw.id, self.limits), targets)
        except InvalidCrystalError:
            raise
        except DataError as error:  # one unreadable file does not stop the others
            raise InvalidCrystalError(error.what, why=error.why, fix=error.fix) from error

    def read_targets(self, raw: RawRecord) -> NDArray[np.float64]:
        """See :class:`phase2.data.store.relabelled.ReadsLabels`."""
        _, labels = cast("tuple[object, tuple[str, ...]]", raw.content)
        return np.array([read_label(text, p, raw.id) for text, p in zip(labels, self.properties, strict=True)])

    def __reduce__(self) -> tuple[object, ...]:
        # Worker processes need no rows but those that they are given.
        return type(self), (self.path, self.limits, self.properties)

    @cached_property
    def _targets(self) -> TargetTable:
        return read_target_table(self.table, self.limits, self.properties)

    def _name_of(self, row: TargetRow, number: int) -> str:
        """Return the id of the crystal of a row."""
        return row.id or f"row-{number}"

    def _cells(self) -> Table:
        return read_rows(self.table, self.limits, lambda cell: is_known_heading(cell, self.properties))


def text_record(row: TargetRow, crystal_id: str, seen: set[str]) -> RawRecord:
    """Return the record of a row that has the text of its structure.

    Args:
        row: The row.
        crystal_id: Its id.
        seen: Ids of the rows before it, to which it is added.
    """
    if row.defect:
        return RawRecord(row.id, None, row.defect, row.limit)
    structure = structure_in_text(row.text)
    defect = repeated(crystal_id, seen)
    if structure is None:
        defect = (
            "Its cell holds no text of a CIF or POSCAR, and no JSON of a structure."
            if row.text
            else "It has no text of a structure."
        )
    return RawRecord(escape_unprintable(crystal_id), (structure, row.labels), defect)


def repeated(crystal_id: str, seen: set[str]) -> str:
    """Return the defect of a row whose id an earlier one has, "" for none; the id is added to those seen."""
    if crystal_id in seen:
        return "An earlier row has the same id."
    seen.add(crystal_id)
    return ""
