"""Folders of structure files with a CSV of targets as data sets."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from phase2.data.crystals.formats.text import read_bytes
from phase2.data.crystals.listing import NO_ROW, FolderFiles, LeftOut, list_files, unreadable
from phase2.data.crystals.readers import may_hold_many
from phase2.data.sources.base import RawRecord, bounded_name, escape_unprintable
from phase2.data.sources.file_names import FileNames, stem_of
from phase2.data.sources.tables.source import TABLE_SUFFIXES, TableSource, repeated, text_record
from phase2.data.sources.tables.targets import TargetRow, TargetTable
from phase2.errors import DataError


class FolderSource(TableSource):
    """Source of structure files, and one CSV with a row for each of them.

    The CSV has a column ``file`` (a path within the folder) or ``id`` (the name of a file without its suffix), or both,
    and a column for each property: its key or column, with or without the unit (``band_gap [eV]``). A column ``cif``
    names the file too, or has its text.

    Args:
        path: The folder.
        limits: Limits of reading.
        properties: The properties whose labels are read.
    """

    @property
    def table(self) -> Path:
        """The CSV.

        Raises:
            DataError: There is none, or several.
        """
        return _table_of(self.path)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over names and contents of the CSV and all structure files, hexadecimal.

        A structure file that cannot be read, or is too large to be, counts as such: only its record is rejected. It
        differs from that of version 0.1.0 where that version read another data set in these files.

        Raises:
            DataError: The folder or its CSV cannot be read, or there is no CSV.
        """
        digest = hashlib.sha256()
        table = self.table
        self._add(digest, table, read_bytes(table, self.limits, "table_bytes"))
        files = list_files(self.path)
        for path in files.structures:
            try:
                self._add(digest, path, read_bytes(path, self.limits))
            except DataError:
                digest.update(os.fsencode(path.relative_to(self.path)) + b"\0unreadable\0")
        if self._is_read_anew(self._targets, files):
            digest.update(b"\0read since 0.2.0\0")
        return digest.hexdigest()

    def records(self) -> Iterator[RawRecord]:
        """Yield a record for each row of the CSV: the path of the file, and the labels as text.

        Raises:
            DataError: There is no CSV, or its headings or a whole column are wrong.
            LimitExceededError: The CSV is too large.
        """
        names = FileNames(list_files(self.path))
        seen: set[str] = set()
        for number, row in enumerate(self._targets.rows):
            if not (row.may_be_comment and self._is_comment(row, names)):
                yield bounded_name(self._raw(row, self._name_of(row, number), names, seen), self.limits)

    def left_out(self) -> tuple[LeftOut, ...]:
        """List the files below the folder that no record is made of, and why."""
        files = list_files(self.path)
        names = FileNames(files)
        named = {names.find(row.file, row.id).path for row in self._targets.rows if not row.defect and not row.text}
        unnamed = (LeftOut(path.relative_to(self.path).as_posix(), NO_ROW) for path in files.structures)
        kept = {path.relative_to(self.path).as_posix() for path in named if path is not None}
        others = files.without([self.table]).left_out
        return (*(one for one in unnamed if one.name not in kept), *(one for one in others if one.name not in kept))

    def _add(self, digest: hashlib._Hash, path: Path, content: bytes) -> None:
        digest.update(os.fsencode(path.relative_to(self.path)) + f"\0{len(content)}\0".encode())
        digest.update(content)

    def _is_read_anew(self, table: TargetTable, files: FolderFiles) -> bool:
        names = FileNames(files)
        return table.read_anew or files.links or any(
            row.may_be_comment or row.text or names.find(row.file, row.id).read_anew for row in table.rows
        )  # fmt: skip

    def _is_comment(self, row: TargetRow, names: FileNames) -> bool:
        return not row.defect and not row.text and names.find(row.file, row.id).path is None

    def _name_of(self, row: TargetRow, number: int) -> str:  # noqa: ARG002 - of rows that name no file
        return row.id or stem_of(row.file)

    def _raw(self, row: TargetRow, crystal_id: str, names: FileNames, seen: set[str]) -> RawRecord:
        if row.defect:
            return RawRecord(row.id, None, row.defect, row.limit)
        if row.text:
            return text_record(row, crystal_id, seen)
        if "\0" in crystal_id + row.file:
            return RawRecord(escape_unprintable(crystal_id), None, "Its file or id holds a zero character.")
        found = names.find(row.file, row.id)
        defect = (repeated(crystal_id, seen) if crystal_id else "Its row has neither file nor id.") or found.defect
        return RawRecord(crystal_id or "unnamed", (str(found.path or ""), row.labels), defect)


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
    if not tables:
        _refuse_without_table(folder)
    raise DataError(
        f"The folder {folder} has {len(tables)} CSV files ({found}), expected one.",
        why="The CSV assigns the targets to the structures.",
        fix="Give it one CSV with a column 'file' or 'id' and a column for each property, such as 'band_gap [eV]'. "
        "To predict structures without labels, name the folder with --dir.",
    )


def _refuse_without_table(folder: Path) -> None:
    """Refuse a folder without a CSV whose files may hold labels themselves, with what makes a data set of them."""
    many = [path for path in list_files(folder).structures if may_hold_many(path)]
    if not many:
        return
    named = ", ".join(path.relative_to(folder).as_posix() for path in many[:3]) + (", ..." if len(many) > 3 else "")
    alone = len(many) == 1 or any(path.suffix == ".db" for path in many)
    archive = shlex.quote(f"{folder.resolve().name}.tar")
    command = f"tar -cf {archive} -C {shlex.quote(str(folder))} ."
    raise DataError(
        f"The folder {folder} has no CSV that assigns labels to structures.",
        why=f"Its files may hold labels themselves ({named}): files, and archives of them, are data sets.",
        fix=f"Give --data {shlex.quote(str(many[0]))}." if alone else f"Run '{command}' and give --data {archive}.",
    )
