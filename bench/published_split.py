"""Parts of a file with a published split, as files of their own.

A run draws its own split, so that a part that is held out has to be taken out of the file before. Records of a JSON
file in JARVIS's schema have the name of their part in the field ``split``.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

from phase2.config.settings import cache_dir
from phase2.data.sources.json_stream import stream_records
from phase2.errors import DataError, RequestError, UnknownNameError
from phase2.storage.disk.atomic import via_temporary

FIELD = "split"


def part_file(data: Path, part: str, folder: Path | None = None) -> Path:
    """Return a file with the records of one part; it is written once, and named after the content of the whole file.

    Args:
        data: JSON file in JARVIS's schema whose records have a field ``split``.
        part: Name of the part: ``train``.
        folder: Folder for the file; by default one in the cache.

    Raises:
        DataError: The file cannot be read, or its records have no such field.
        UnknownNameError: There is no part of this name.
    """
    path = (folder or cache_dir() / "published-split") / f"{part}-{_digest(data)}.jsonl.gz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        via_temporary(path, lambda temporary: _write(data, part, temporary))
    return path


def _digest(data: Path) -> str:
    if not data.is_file():
        raise RequestError(f"There is no file {data}.", fix="Give the path of your copy of the data with --data.")
    with data.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def _write(data: Path, part: str, path: Path) -> None:
    parts: dict[str, int] = {}
    # The name of a file and a time are part of gzip's header: left out, equal records give equal bytes.
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=4, mtime=0) as file:
        for _, record in stream_records(data):
            name = str(record.get(FIELD, "")) if isinstance(record, dict) else ""
            parts[name] = parts.get(name, 0) + 1
            if name == part:
                file.write(json.dumps(record).encode() + b"\n")
    if part not in parts:
        if not any(parts):
            raise DataError(f"The records of {data} have no field '{FIELD}'.", fix="Use a file with a published split.")
        raise UnknownNameError.of(f"part of {data.name}", part, filter(None, parts))
