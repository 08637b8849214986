"""All runs of a store, quickly: an index spares reading manifests that have not changed.

The index is never the truth. What is a run is decided by listing the store: an entry counts only when the record it
was made from is still there with the same size and time. Missing, damaged or stale, it costs time and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from pydantic import AwareDatetime, ValidationError

from phase2.errors import RequestError, TransientError
from phase2.runs.layout import MANIFEST
from phase2.runs.parallel import in_parallel
from phase2.runs.record import Record
from phase2.runs.run_summary import RunSummary
from phase2.runs.store_keys import local_run
from phase2.storage.base import ObjectDamagedError, ObjectInfo, ObjectMissingError, Store

INDEX = ".index.json"
_CONFIG = "run_config.json"
# Reading so many records is quicker than writing the index of ten thousand.
_WORTH_WRITING = 50
_READERS = 16


class IndexEntry(Record):
    """What was read of one run, and from what.

    Attributes:
        key: Its manifest, or its configuration while there is no manifest.
        size: Size of that object.
        modified: When it was written.
        summary: What it says; null when it is damaged.
    """

    key: str
    size: int
    modified: AwareDatetime
    summary: RunSummary | None


class Index(Record):
    """All entries of a store."""

    schema_version: int = 1
    entries: tuple[IndexEntry, ...]


def list_runs(store: Store) -> list[RunSummary]:
    """List the runs of all families, the newest first; whatever is no run is passed over.

    Raises:
        RequestError: The store cannot be read.
        TransientError: The store does not answer.
    """
    records = run_records(store.list())
    known = {entry.key: entry for entry in _read(store)}
    entries = {info.key: known[info.key] for info in records if _is_fresh(known.get(info.key), info)}
    unread = [info for info in records if info.key not in entries]
    for entry in in_parallel(_reader(store), unread, workers=_READERS):
        entries[entry.key] = entry
    if len(unread) >= _WORTH_WRITING:
        _write(store, entries.values())
    runs = [_as_of_now(store, entry) for entry in entries.values() if entry.summary is not None]
    return sorted(runs, key=lambda run: (run.started, run.name), reverse=True)


def run_records(listing: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """The object that speaks for each run: its manifest, or its configuration where there is no manifest."""
    found: dict[str, ObjectInfo] = {}
    for info in listing:
        if not info.key.endswith((MANIFEST, _CONFIG)):
            continue
        names = info.key.split("/")
        if len(names) == 3 and names[1].startswith("run_") and names[2] in {MANIFEST, _CONFIG}:
            prefix = f"{names[0]}/{names[1]}"
            if names[2] == MANIFEST or prefix not in found:
                found[prefix] = info
    return list(found.values())


def _is_fresh(entry: IndexEntry | None, info: ObjectInfo) -> bool:
    return entry is not None and (entry.size, entry.modified) == (info.size, info.modified)


def _reader(store: Store) -> Callable[[ObjectInfo], IndexEntry]:
    def read(info: ObjectInfo) -> IndexEntry:
        return IndexEntry(key=info.key, size=info.size, modified=info.modified, summary=_summary(store, info.key))

    return read


def _summary(store: Store, key: str) -> RunSummary | None:
    prefix, _, name = key.rpartition("/")
    summarise: Mapping[str, Callable[[str, bytes], RunSummary]] = {
        MANIFEST: RunSummary.from_manifest,
        _CONFIG: RunSummary.from_config,
    }
    # Removed since it was listed, or damaged: no run that can be shown.
    with suppress(ObjectMissingError, ObjectDamagedError, ValidationError, IndexError):
        return summarise[name](prefix, store.read(key))
    if name == MANIFEST:
        with suppress(ObjectMissingError, ObjectDamagedError, ValidationError):
            return RunSummary.from_config(prefix, store.read(f"{prefix}/{_CONFIG}"))
    return None


def _as_of_now(store: Store, entry: IndexEntry) -> RunSummary:
    summary = entry.summary
    assert summary is not None  # noqa: S101
    if summary.status == "finished":
        return summary
    run = local_run(store, summary.prefix)
    return summary.model_copy(update={"status": "running"}) if run is not None and run.is_running() else summary


def _read(store: Store) -> tuple[IndexEntry, ...]:
    """Entries of the index; none when it is missing, damaged, or written by another version."""
    try:
        digest, _, content = store.read(INDEX).partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != digest:
            return ()
        return Index.model_validate_json(content).entries
    except (ObjectMissingError, ObjectDamagedError, ValidationError):
        return ()


def _write(store: Store, entries: Iterable[IndexEntry]) -> None:
    content = Index(entries=tuple(entries)).model_dump_json().encode()
    # Whoever may only read, or finds the disk full, still gets the list.
    with suppress(RequestError, TransientError):
        store.put(INDEX, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
