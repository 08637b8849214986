"""The split of JARVIS-Leaderboard for a property of JARVIS-DFT: the crystals of each part by id, and their labels.

The leaderboard keeps it in ``benchmarks/AI/SinglePropertyPrediction/dft_3d_<column>.json.zip``: an object with the
parts ``train``, ``val`` and ``test``, each an object of labels by id.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

from bench.protocols.protocol import Fold, Protocol, mean_absolute_error
from bench.published_split import FIELD, content_digest, write_records
from phase2.config.settings import cache_dir
from phase2.data.crystals.files.json_stream import stream_records
from phase2.errors import DataError
from phase2.properties import get_property
from phase2.storage.disk.atomic import via_temporary

PARTS = ("train", "val", "test")


def jarvis(prop: str, data: Path, split: Path) -> Protocol:
    """Return the protocol of a property.

    A run sees the published training and validation parts, and trains on as many crystals as the published training
    part has; it draws its own validation part from them.

    Args:
        prop: Key of the property.
        data: Your copy of JARVIS-DFT's ``dft_3d`` records, a JSON file.
        split: The leaderboard's file of this property.

    Raises:
        DataError: A file cannot be read, or records of the split are missing.
    """
    parts = _read_split(split)
    digest = hashlib.sha256(f"{content_digest(data)} {content_digest(split)} {prop}".encode()).hexdigest()[:12]
    path = cache_dir() / "protocols" / f"jarvis-{prop}-{digest}.jsonl.gz"
    if not path.exists():
        via_temporary(path, lambda temporary: write_records(temporary, _records(data, parts, prop)))
    sizes = {part: len(labels) for part, labels in parts.items()}
    own = f"[{sizes['train']}.0,{sizes['val'] / 2},{sizes['val'] / 2}]"
    return Protocol(f"jarvis-{prop}", path, prop, (Fold("paper", ("train", "val"), "test"),), mean_absolute_error, own)


def _read_split(path: Path) -> dict[str, dict[str, float]]:
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = archive.namelist()
            found = json.loads(archive.read(name))
        return {part: {str(key): float(value) for key, value in found[part].items()} for part in PARTS}
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, AttributeError, TypeError) as error:
        raise DataError(
            f"{path} is no split of JARVIS-Leaderboard.",
            why=f"{type(error).__name__}: {error}. It is an archive of one JSON object with {', '.join(PARTS)}.",
            fix="Give dft_3d_<column>.json.zip as the leaderboard offers it.",
        ) from error


def _records(data: Path, parts: dict[str, dict[str, float]], prop: str) -> Iterator[dict[str, object]]:
    part_of = {key: part for part, labels in parts.items() for key in labels}
    column, missing = get_property(prop).column, set(part_of)
    for _, record in stream_records(data):
        key = str(record.get("jid")) if isinstance(record, dict) else ""
        if isinstance(record, dict) and key in missing:
            missing.remove(key)
            part = part_of[key]
            yield {"jid": key, "atoms": record["atoms"], FIELD: part, column: parts[part][key]}
    if missing:
        raise DataError(
            f"{len(missing)} of {len(part_of)} crystals of the split are not in {data}, {min(missing)} for one.",
            why="The split belongs to another release of JARVIS-DFT.",
            fix="Use the release that the leaderboard names.",
        )
