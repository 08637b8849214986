"""Folders of structure files with a CSV of targets as data sets."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.formats.text import read_bytes
from phase2.data.crystals.readers import STRUCTURE_SUFFIXES, is_structure_file, read_structure
from phase2.data.sources.base import LabelledCrystal, RawRecord, bounded_name, escape_unprintable, read_label
from phase2.data.sources.target_table import TargetRow, read_target_table
from phase2.errors import DataError, InvalidCrystalError
from phase2.properties import PROPERTIES, Property


class FolderSource:
    """Source of CIF, POSCAR and JARVIS JSON files, and one CSV with a row for each of them.

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

        A structure file that cannot be read, or is too large to be, counts as such: only its record is rejected.

        Raises:
            DataError: The folder or its CSV cannot be read, or there is no CSV.
        """
        digest = hashlib.sha256()
        table = _table_of(self.path)
        self._add(digest, table, read_bytes(table, self.limits, "table_bytes"))
        for path in self._structure_files():
            try:
                self._add(digest, path, read_bytes(path, self.limits))
            except DataError:
                digest.update(os.fsencode(path.relative_to(self.path)) + b"\0unreadable\0")
        return digest.hexdigest()

    def records(self) -> Iterator[RawRecord]:
        """Yield a record for each row of the CSV: the path of the file, and the labels as text.

        Raises:
            DataError: There is no CSV, or its headings or a whole column are wrong.
            LimitExceededError: The CSV is too large.
        """
        by_stem = {_stem(path.relative_to(self.path).as_posix()): path for path in self._structure_files()}
        seen: set[str] = set()
        for row in read_target_table(_table_of(self.path), self.limits, self.properties):
            yield bounded_name(self._raw(row, by_stem, seen), self.limits)

    def parse(self, raw: RawRecord) -> LabelledCrystal:
        """Read the structure file of one row.

        Raises:
            InvalidCrystalError: There is no such file, it holds no valid crystal, or a label is no number.
        """
        raw.check()
        path, labels = cast("tuple[str, tuple[str, ...]]", raw.content)
        targets = np.array([read_label(text, p, raw.id) for text, p in zip(labels, self.properties, strict=True)])
        try:
            return LabelledCrystal(read_structure(Path(path), raw.id, self.limits), targets)
        except InvalidCrystalError:
            raise
        except DataError as error:  # one unreadable file does not stop the others
            raise InvalidCrystalError(error.what, why=error.why, fix=error.fix) from error

    def _add(self, digest: hashlib._Hash, path: Path, content: bytes) -> None:
        digest.update(os.fsencode(path.relative_to(self.path)) + f"\0{len(content)}\0".encode())
        digest.update(content)

    def _structure_files(self) -> list[Path]:
        """List the structure files below the folder; links to folders are not followed."""
        found: list[Path] = []
        folders = [self.path]
        try:
            while folders:
                with os.scandir(folders.pop()) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(Path(entry.path))
                        elif is_structure_file(path := Path(entry.path)) and path.is_file():
                            found.append(path)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        return sorted(found)

    def _raw(self, row: TargetRow, by_stem: dict[str, Path], seen: set[str]) -> RawRecord:
        if row.defect:
            return RawRecord(row.id, None, row.defect, row.limit)
        crystal_id = row.id or _stem(row.file)
        if "\0" in crystal_id + row.file:
            return RawRecord(escape_unprintable(crystal_id), None, "Its file or id holds a zero character.")
        path = self.path / row.file if row.file else by_stem.get(crystal_id) or self.path / crystal_id
        return RawRecord(crystal_id or "unnamed", (str(path), row.labels), self._defect(crystal_id, path, seen))

    def _defect(self, crystal_id: str, path: Path, seen: set[str]) -> str:
        if not crystal_id:
            return "Its row has neither file nor id."
        if crystal_id in seen:
            return "An earlier row has the same id."
        seen.add(crystal_id)
        try:
            if not path.resolve().is_relative_to(self.path.resolve()):
                return f"{path} lies outside the folder {self.path}."
            exists = path.is_file()
        except OSError as error:  # a parent folder without permission, a name that is too long
            return f"{path} cannot be read: {error.strerror}."
        if not exists:
            return f"There is no file {path}" + ("." if path.suffix else f" with {', '.join(STRUCTURE_SUFFIXES)}.")
        return ""


def _table_of(folder: Path) -> Path:
    try:
        tables = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv" and path.is_file())
    except OSError as error:
        raise _unreadable(folder, error) from error
    if len(tables) == 1:
        return tables[0]
    found = ", ".join(path.name for path in tables) or "none"
    raise DataError(
        f"The folder {folder} has {len(tables)} CSV files ({found}), expected one.",
        why="The CSV assigns the targets to the structures.",
        fix="Give it one CSV with a column 'file' or 'id' and a column for each property, such as 'band_gap [eV]'.",
    )


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path} cannot be read.", why=f"{error.strerror}.", fix="Check its permissions.")


def _stem(file: str) -> str:
    path = Path(file)
    return (path.with_suffix("") if path.suffix.lower() in STRUCTURE_SUFFIXES else path).as_posix() if file else ""
