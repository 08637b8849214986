"""Files of structures as data sets: JSON in any layout, extended XYZ, databases, tables and archives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.files.archive import is_archive
from phase2.data.crystals.files.json_cursor import Unreadable
from phase2.data.crystals.files.json_stream import is_json_lines, stream_records
from phase2.data.crystals.formats.records import (
    fields_beside_structure,
    find_structure,
    record_id,
    without_structure,
)
from phase2.data.crystals.formats.schemas import FoundStructure
from phase2.data.crystals.readers import format_of, read_records
from phase2.data.sources.base import (
    LabelledCrystal,
    PathSource,
    RawRecord,
    bounded_name,
    escape_unprintable,
    read_labels,
)
from phase2.data.sources.isolated_records import isolated_records
from phase2.data.sources.known_columns import ReadLabels, cells_of, label_reader
from phase2.errors import DataError, InvalidCrystalError
from phase2.properties import PROPERTIES, Property


class FileSource(PathSource):
    """Source of the structures of one file, and of their labels.

    Labels are read from the properties' columns or, where those are absent, from their keys or the known columns of
    other data sets (``known_columns.py``).

    Args:
        path: The file, in a format of ``crystals/files/registry.py``, also compressed or an archive.
        member: Name of the JSON file to read within a zip archive.
        limits: Limits of reading.
        properties: The properties whose labels are read.
    """

    def __init__(
        self,
        path: Path,
        member: str | None = None,
        limits: ReadingLimits = DEFAULT_LIMITS,
        properties: Sequence[Property] = PROPERTIES,
    ) -> None:
        super().__init__(path, limits, properties)
        self.member = member

    @cached_property
    def isolated(self) -> bool:
        """Whether structures are texts that a library parses: as in the first record."""
        if self._format_isolated or (self.member is None and is_archive(self.path.name)):
            return True
        first = next(self._records(), (None, None))[1]
        try:
            found = find_structure(first) if isinstance(first, dict) else None
        except InvalidCrystalError:
            return False
        return found is not None and found.is_text

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the file on disk and, for JSON lines, of that format, hexadecimal.

        The same bytes can be one record under one name and an object of records under another.

        Raises:
            DataError: The file cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
        except OSError as error:
            raise DataError(f"{self.path} cannot be read.", why=f"{error.strerror}.", fix="Check the path.") from error
        if is_json_lines(self.path.name):
            digest.update(b"\0JSON lines")
        return digest.hexdigest()

    def column_names(self) -> list[str]:
        """Return the fields of the first records, each once."""
        isolated = self._format_isolated
        names = isolated_records(self.path, self._names_here, self.limits) if isolated else self._names_here()
        return list(dict.fromkeys(names))

    def records(self) -> Iterator[RawRecord]:
        """Yield the records in the order of the file, reduced to what ``parse`` needs.

        Raises:
            DataError: The file cannot be read in its format; the message says where or what it seems to be.
            LimitExceededError: It has too many records, or too much content for its size.
        """
        if self._format_isolated:
            return isolated_records(self.path, self._records_here, self.limits)
        return self._records_here()

    def rows(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """See :class:`phase2.data.sources.columns.HasColumns`."""
        if self._format_isolated:
            return isolated_records(self.path, self._rows_here, self.limits)
        return self._rows_here()

    def parse(self, raw: RawRecord) -> LabelledCrystal:
        """Turn one record into a crystal and its labels.

        Raises:
            InvalidCrystalError: It is no valid crystal, a label is no number, or its id was seen before.
        """
        raw.check()
        targets = self.read_targets(raw)
        structure, _ = cast("tuple[FoundStructure, Mapping[str, object]]", raw.content)
        if structure.is_text and not self.isolated:
            raise InvalidCrystalError.of(raw.id, "its structure is a text, and those before it are none.")
        return LabelledCrystal(structure.to_crystal(f"Record '{raw.id}'", raw.id, self.limits), targets)

    def read_targets(self, raw: RawRecord) -> NDArray[np.float64]:
        """See :class:`phase2.data.store.relabelled.ReadsLabels`."""
        _, labels = cast("tuple[FoundStructure, Mapping[str, object]]", raw.content)
        return read_labels(labels, raw.id, self.properties)

    @cached_property
    def _format_isolated(self) -> bool:
        found = format_of(self.path) if self.member is None else None
        return found is not None and found.isolated

    def _records_here(self) -> Iterator[RawRecord]:
        seen: set[str] = set()
        labels = label_reader(self.properties)
        for index, (key, record) in enumerate(self._records()):
            if index >= self.limits.records:
                raise self.limits.exceeded("records", str(self.path), "it has more records")
            yield bounded_name(_raw(index, key, record, seen, labels), self.limits)

    def _names_here(self) -> Iterator[str]:
        for _, record in islice(self._records(), _LOOKED_AT):
            if isinstance(record, dict):
                yield from fields_beside_structure(record)

    def _rows_here(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        for index, (key, record) in enumerate(self._records()):
            if isinstance(record, dict):
                yield record_id(record) or key or f"record-{index}", cells_of(record)

    def _records(self) -> Iterator[tuple[str | None, object]]:
        if self.member is not None or self.path.name.lower().endswith(_JSON_IN_ZIP):
            return stream_records(self.path, self.member, self.limits)
        return read_records(self.path, self.limits)


_LOOKED_AT = 100
"""Records whose fields are named where a column is not found."""

_JSON_IN_ZIP = (".json.zip", ".jsonl.zip", ".ndjson.zip")


def _raw(index: int, key: str | None, record: object, seen: set[str], labels: ReadLabels) -> RawRecord:
    if isinstance(record, Unreadable):
        name = escape_unprintable(key or f"record-{index}")
        return RawRecord(name, None, defect=record.reason, limit=record.limit)
    if not isinstance(record, dict):
        name = escape_unprintable(key or f"record-{index}")
        return RawRecord(name, None, defect=f"It is a {type(record).__name__}, not an object.")
    crystal_id = record_id(record) or key or f"record-{index}"
    if crystal_id != escape_unprintable(crystal_id):
        return RawRecord(
            escape_unprintable(crystal_id), None, defect="Its id holds a character that cannot be written."
        )
    if crystal_id in seen:
        return RawRecord(crystal_id, None, defect="An earlier record has the same id.")
    seen.add(crystal_id)
    return _with_structure(crystal_id, record, labels)


def _with_structure(crystal_id: str, record: dict[str, object], labels: ReadLabels) -> RawRecord:
    try:
        structure = find_structure(record)
    except InvalidCrystalError as error:
        return RawRecord(crystal_id, None, defect=str(error))
    if structure is None:
        return RawRecord(crystal_id, None, defect=without_structure(record))
    # JARVIS records have sixty columns: those not needed are neither kept nor sent to the worker processes.
    return RawRecord(crystal_id, (structure, labels(record)))
