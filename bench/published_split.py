"""Parts of a file with a published split, as files of their own.

A run evaluates its test part when it ends, also one that ``--split file:`` names. A part that only chosen runs are to
be evaluated on is therefore taken out of the file before. Records of a JSON file in JARVIS's schema have the name of
their part in the field ``split``.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from phase2.config.settings import cache_dir
from phase2.data.crystals.files.json_stream import stream_records
from phase2.errors import DataError, RequestError, UnknownNameError
from phase2.storage.disk.atomic import via_temporary

FIELD = "split"


def part_file(data: Path, *parts: str, folder: Path | None = None) -> Path:
    """Return a file with the records of some parts; it is written once, and named after the content of the whole file.

    Args:
        data: JSON file in JARVIS's schema whose records have a field ``split``.
        parts: Names of the parts: ``train``.
        folder: Folder for the file; by default one in the cache.

    Raises:
        DataError: The file cannot be read, or its records have no such field.
        UnknownNameError: There is no part of this name.
    """
    path = (folder or cache_dir() / "published-split") / f"{'+'.join(parts)}-{content_digest(data)}.jsonl.gz"
    if not path.exists():
        via_temporary(path, lambda temporary: _write(data, parts, temporary))
    return path


def write_records(path: Path, records: Iterable[object]) -> None:
    """Write records as compressed JSON lines; equal records give equal bytes."""
    # The name of a file and a time are part of gzip's header.
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=4, mtime=0) as file:
        for record in records:
            file.write(json.dumps(record).encode() + b"\n")


def content_digest(data: Path) -> str:
    """Return the first digits of the SHA-256 of a file, hexadecimal.

    Raises:
        RequestError: There is no such file.
    """
    if not data.is_file():
        raise RequestError(f"There is no file {data}.", fix="Give the path of your copy of the data with --data.")
    with data.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _write(data: Path, parts: Sequence[str], path: Path) -> None:
    found: set[str] = set()

    def chosen() -> Iterator[object]:
        for _, record in stream_records(data):
            name = str(record.get(FIELD, "")) if isinstance(record, dict) else ""
            found.add(name)
            if name in parts:
                yield record

    write_records(path, chosen())
    for part in parts:
        if part not in found:
            raise _without(part, found - {""}, data)


def _without(part: str, found: set[str], data: Path) -> Exception:
    if found:
        return UnknownNameError.of(f"part of {data.name}", part, sorted(found))
    return DataError(f"The records of {data} have no field '{FIELD}'.", fix="Use a file with a published split.")
