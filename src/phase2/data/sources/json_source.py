"""JSON and JSON lines files in JARVIS's schema as data sets."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.formats.jarvis import from_jarvis
from phase2.data.sources.base import LabelledCrystal, RawRecord, bounded_name, escape_unprintable, read_labels
from phase2.data.sources.json_cursor import Unreadable
from phase2.data.sources.json_stream import is_json_lines, stream_records
from phase2.errors import DataError
from phase2.properties import PROPERTIES, Property

_ATOMS = ("lattice_mat", "coords", "elements", "cartesian")
_IDS = ("jid", "id", "material_id")


class JsonSource:
    """Source of records ``{"jid": ..., "atoms": {...}, "band_gap": ..., ...}`` in a list, an object or lines.

    Labels are read from the properties' columns or, where those are absent, from their keys.

    Args:
        path: The file, uncompressed or compressed by gzip or zip.
        member: Its name within a zip archive with several JSON files.
        limits: Limits of reading.
        properties: The properties whose labels are read.
    """

    isolated = False

    def __init__(
        self,
        path: Path,
        member: str | None = None,
        limits: ReadingLimits = DEFAULT_LIMITS,
        properties: Sequence[Property] = PROPERTIES,
    ) -> None:
        self.path = path
        self.member = member
        self.limits = limits
        self.properties = tuple(properties)

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

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

    def records(self) -> Iterator[RawRecord]:
        """Yield the records in the order of the file, reduced to what ``parse`` needs.

        Raises:
            DataError: The file is no valid JSON; the message has line and column.
            LimitExceededError: It has too many records, or too much content for its size.
        """
        seen: set[str] = set()
        labels = [name for p in self.properties for name in (p.column, p.key)]
        for index, (key, record) in enumerate(stream_records(self.path, self.member, self.limits)):
            if index >= self.limits.records:
                raise self.limits.exceeded("records", str(self.path), "it has more records")
            yield bounded_name(_raw(index, key, record, seen, labels), self.limits)

    def parse(self, raw: RawRecord) -> LabelledCrystal:
        """Turn one record into a crystal and its labels.

        Raises:
            InvalidCrystalError: It is no valid crystal, has no atoms, a label that is no number, or an id seen before.
        """
        raw.check()
        content = cast("Mapping[str, object]", raw.content)
        labels = read_labels(content, raw.id, self.properties)
        return LabelledCrystal(from_jarvis(content, raw.id, self.limits), labels)


def _raw(index: int, key: str | None, record: object, seen: set[str], labels: Collection[str]) -> RawRecord:
    if isinstance(record, Unreadable):
        name = escape_unprintable(key or f"record-{index}")
        return RawRecord(name, None, defect=record.reason, limit=record.limit)
    if not isinstance(record, dict):
        name = escape_unprintable(key or f"record-{index}")
        return RawRecord(name, None, defect=f"It is a {type(record).__name__}, not an object.")
    crystal_id = next((str(record[k]) for k in _IDS if _is_id(record.get(k))), key or f"record-{index}")
    if crystal_id != escape_unprintable(crystal_id):
        return RawRecord(
            escape_unprintable(crystal_id), None, defect="Its id holds a character that cannot be written."
        )
    if crystal_id in seen:
        return RawRecord(crystal_id, None, defect="An earlier record has the same id.")
    seen.add(crystal_id)
    if "atoms" not in record:
        return RawRecord(crystal_id, None, defect="It has no 'atoms'.")
    # JARVIS records have sixty columns: those not needed are neither kept nor sent to the worker processes.
    content = {k: record[k] for k in labels if k in record}
    atoms = record["atoms"]
    content["atoms"] = {k: atoms[k] for k in _ATOMS if k in atoms} if isinstance(atoms, dict) else atoms
    return RawRecord(crystal_id, content)


def _is_id(value: object) -> bool:
    return (isinstance(value, str) and bool(value.strip())) or type(value) is int
