"""Structures of a file that holds several, or of a data set, as records that another process parses."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.crystal import Crystal
from phase2.data.sources.base import RawRecord, Source
from phase2.data.sources.file_source import FileSource
from phase2.errors import DataError


@dataclass(frozen=True, slots=True)
class FileRecord:
    """Structure of a file that holds several, or of a data set.

    Attributes:
        source: The file or data set, of which no labels are read.
        raw: The record.
    """

    source: Source
    raw: RawRecord

    def crystal(self) -> Crystal:
        """Parse it.

        Raises:
            InvalidCrystalError: It is no valid ordered crystal, or exceeds a limit.
        """
        return self.source.parse(self.raw).crystal


def data_records(source: Source) -> list[FileRecord]:
    """Return the records of a data set, which are called by their ids.

    Raises:
        DataError: It cannot be read, or has no record.
    """
    found = [FileRecord(source, raw) for raw in source.records()]
    if not found:
        raise DataError(f"The data set '{source.name}' is empty.", fix="Give one with at least one crystal.")
    return found


def named_records(path: Path, name: str, limits: ReadingLimits) -> Generator[tuple[str, FileRecord], None, None]:
    """Yield the structures of a file with their names in a table: ``name`` if it holds one, else ``name#id``.

    Raises:
        DataError: The file cannot be read, or holds no structure.
    """
    source = FileSource(path, limits=limits, properties=())
    with closing(cast("Generator[RawRecord, None, None]", source.records())) as records:
        first, second = next(records, None), next(records, None)
        if first is None:
            raise DataError(f"{path} holds no structure.", why="It has no record.", fix="Give another file.")
        if second is None:
            yield name, FileRecord(source, replace(first, id=path.name))
            return
        for raw in (first, second):
            yield f"{name}#{raw.id}", FileRecord(source, raw)
        for raw in records:
            yield f"{name}#{raw.id}", FileRecord(source, raw)
