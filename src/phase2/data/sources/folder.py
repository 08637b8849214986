"""Folders of structure files with a CSV of targets as data sets."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.formats.text import read_bytes
from phase2.data.crystals.listing import NO_ROW, FolderFiles, LeftOut, list_files, unreadable
from phase2.data.crystals.readers import read_structure
from phase2.data.sources.base import LabelledCrystal, RawRecord, bounded_name, escape_unprintable, read_label
from phase2.data.sources.file_names import FileNames, stem_of
from phase2.data.sources.tables.headings import is_known_heading, parse_headings
from phase2.data.sources.tables.rows import read_rows
from phase2.data.sources.tables.targets import TargetRow, TargetTable, read_target_table
from phase2.errors import DataError, InvalidCrystalError
from phase2.properties import PROPERTIES, Property

TABLE_SUFFIXES = (".csv", ".tsv")


class FolderSource:
    """Source of structure files, and one CSV with a row for each of them.

    The CSV has a column ``file`` (a path within the folder) or ``id`` (the name of a file without its suffix), or both,
    and a column for each property: its key or column, with or without the unit (``band_gap [eV]``).

    Args:
        path: The folder.
        limits: Limits of reading.
        properties: The properties whose labels are read.
    """

    isolated = True

    def __init__(
        self,
        path: Path,
        limits: ReadingLimits = DEFAULT_LIMITS,
        properties: Sequence[Property] = PROPERTIES,
    ) -> None:
        self.path = path
        self.limits = limits
        self.properties = tuple(properties)

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over names and contents of the CSV and all structure files, hexadecimal.

        A structure file that cannot be read, or is too large to be, counts as such: only its record is rejected. It
        differs from that of version 0.1.0 where that version read another data set in these files.

        Raises:
            DataError: The folder or its CSV cannot be read, or there is no CSV.
        """
        digest = hashlib.sha256()
        table = _table_of(self.path)
        self._add(digest, table, read_bytes(table, self.limits, "table_bytes"))
        files = list_files(self.path)
        for path in files.structures:
            try:
                self._add(digest, path, read_bytes(path, self.limits))
            except DataError:
                digest.update(os.fsencode(path.relative_to(self.path)) + b"\0unreadable\0")
        if self._is_read_anew(self._table(), files):
            digest.update(b"\0read since 0.2.0\0")
        return digest.hexdigest()

    def column_names(self) -> list[str]:
        """Return the headings of the CSV, without units.

        Raises:
            DataError: There is no CSV, or it cannot be read.
        """
        content = read_rows(_table_of(self.path), self.limits, lambda cell: is_known_heading(cell, self.properties))
        return [heading.partition("[")[0].strip() for heading in content.headings]

    def records(self) -> Iterator[RawRecord]:
        """Yield a record for each row of the CSV: the path of the file, and the labels as text.

        Raises:
            DataError: There is no CSV, or its headings or a whole column are wrong.
            LimitExceededError: The CSV is too large.
        """
        names = FileNames(list_files(self.path))
        seen: set[str] = set()
        for row in self._table().rows:
            if not (row.may_be_comment and self._is_comment(row, names)):
                yield bounded_name(self._raw(row, names, seen), self.limits)

    def rows(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """See :class:`phase2.data.sources.columns.HasColumns`."""
        table = _table_of(self.path)
        content = read_rows(table, self.limits, lambda cell: is_known_heading(cell, self.properties))
        columns = parse_headings(table, content, self.properties)
        for row in content.rows:
            if not row.defect:
                named = "" if columns.id is None else row.cells[columns.id].strip()
                file = "" if columns.file is None else row.cells[columns.file].strip()
                yield named or stem_of(file), dict(zip(content.headings, row.cells, strict=False))

    def parse(self, raw: RawRecord) -> LabelledCrystal:
        """Read the structure file of one row.

        Raises:
            InvalidCrystalError: There is no such file, it holds no valid crystal, or a label is no number.
        """
        raw.check()
        targets = self.read_targets(raw)
        path, _ = cast("tuple[str, tuple[str, ...]]", raw.content)
        try:
            return LabelledCrystal(read_structure(Path(path), raw.id, self.limits), targets)
        except InvalidCrystalError:
            raise
        except DataError as error:  # one unreadable file does not stop the others
            raise InvalidCrystalError(error.what, why=error.why, fix=error.fix) from error

    def read_targets(self, raw: RawRecord) -> NDArray[np.float64]:
        """See :class:`phase2.data.store.relabelled.ReadsLabels`."""
        _, labels = cast("tuple[str, tuple[str, ...]]", raw.content)
        return np.array([read_label(text, p, raw.id) for text, p in zip(labels, self.properties, strict=True)])

    def left_out(self) -> tuple[LeftOut, ...]:
        """List the files below the folder that no record is made of, and why."""
        files = list_files(self.path)
        names = FileNames(files)
        named = {names.find(row.file, row.id).path for row in self._table().rows if not row.defect}
        unnamed = (LeftOut(path.relative_to(self.path).as_posix(), NO_ROW) for path in files.structures)
        kept = {path.relative_to(self.path).as_posix() for path in named if path is not None}
        others = files.without([_table_of(self.path)]).left_out
        return (*(one for one in unnamed if one.name not in kept), *(one for one in others if one.name not in kept))

    def _table(self) -> TargetTable:
        return read_target_table(_table_of(self.path), self.limits, self.properties)

    def _add(self, digest: hashlib._Hash, path: Path, content: bytes) -> None:
        digest.update(os.fsencode(path.relative_to(self.path)) + f"\0{len(content)}\0".encode())
        digest.update(content)

    def _is_read_anew(self, table: TargetTable, files: FolderFiles) -> bool:
        names = FileNames(files)
        return table.read_anew or files.links or any(
            row.may_be_comment or names.find(row.file, row.id).read_anew for row in table.rows
        )  # fmt: skip

    def _is_comment(self, row: TargetRow, names: FileNames) -> bool:
        return not row.defect and names.find(row.file, row.id).path is None

    def _raw(self, row: TargetRow, names: FileNames, seen: set[str]) -> RawRecord:
        if row.defect:
            return RawRecord(row.id, None, row.defect, row.limit)
        crystal_id = row.id or stem_of(row.file)
        if "\0" in crystal_id + row.file:
            return RawRecord(escape_unprintable(crystal_id), None, "Its file or id holds a zero character.")
        found = names.find(row.file, row.id)
        defect = _defect(crystal_id, seen) or found.defect
        return RawRecord(crystal_id or "unnamed", (str(found.path or ""), row.labels), defect)


def _defect(crystal_id: str, seen: set[str]) -> str:
    if not crystal_id:
        return "Its row has neither file nor id."
    if crystal_id in seen:
        return "An earlier row has the same id."
    seen.add(crystal_id)
    return ""


def _table_of(folder: Path) -> Path:
    try:
        tables = sorted(
            path for path in folder.iterdir()
            if path.suffix.lower() in TABLE_SUFFIXES and not path.name.startswith(".") and path.is_file()
        )  # fmt: skip
    except OSError as error:
        raise unreadable(folder, error) from error
    if len(tables) == 1:
        return tables[0]
    found = ", ".join(path.name for path in tables) or "none"
    raise DataError(
        f"The folder {folder} has {len(tables)} CSV files ({found}), expected one.",
        why="The CSV assigns the targets to the structures.",
        fix="Give it one CSV with a column 'file' or 'id' and a column for each property, such as 'band_gap [eV]'.",
    )
