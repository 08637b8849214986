"""Listing all runs of a store, with an index that avoids reading manifests that have not changed.

The index is a cache, never the truth. Which runs exist is decided by listing the store: an entry counts only while the
run exists, has the version that was read, and is what its key says. A missing, damaged or stale index costs time and
nothing else; a forged one can change what a list shows, and neither what is deleted nor which run a name means.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Literal

from pydantic import ValidationError

from phase2.errors import ModelFileError, RequestError, TransientError
from phase2.runs.as_published import pin_manifest
from phase2.runs.catalog.scan import Versions, run_versions
from phase2.runs.catalog.summary import RunSummary
from phase2.runs.catalog.unfinished import read_attempts
from phase2.runs.identity import run_id_of
from phase2.runs.keys import folder_of, local_run, manifest_key
from phase2.runs.layout import CONFIG
from phase2.runs.publish.markers import put_marker, remove_markers
from phase2.storage.base import READ_BYTES, ObjectDamagedError, ObjectMissingError, Store
from phase2.storage.parallel import in_parallel
from phase2.storage.records import Record

INDEX = ".index.json"
# Reading this many records is quicker than writing the index of ten thousand runs.
_MIN_CHANGES = 50
_READERS = 16


class IndexEntry(Record):
    """One run as it was last read.

    Attributes:
        prefix: Prefix of its keys: ``<family>/<name>``.
        version: Its version when it was read (see ``scan.run_versions``); empty where it has none.
        summary: Its summary; null where its records are damaged.
    """

    prefix: str
    version: str
    summary: RunSummary | None


class Index(Record):
    """The index of a store."""

    schema_version: Literal[7] = 7
    entries: tuple[IndexEntry, ...]


def list_runs(store: Store, *, rebuild: bool = False) -> list[RunSummary]:
    """List the runs of all families, the newest first; ignore everything else in the store.

    Args:
        store: The store.
        rebuild: Read every run, ignoring the index and the markers, and write both anew.

    Raises:
        RequestError: The store cannot be read.
        TransientError: The store does not respond.
    """
    with ThreadPoolExecutor(1) as pool:
        index = pool.submit(_read_index, store)
        versions = run_versions(store)
    known = {} if rebuild else {entry.prefix: entry for entry in index.result()}
    entries = {prefix: known[prefix] for prefix in versions if _is_fresh(known.get(prefix), versions[prefix])}
    unread = [prefix for prefix in versions if prefix not in entries]
    for entry in in_parallel(lambda prefix: _read_run(store, prefix, versions[prefix]), unread, workers=_READERS):
        entries[entry.prefix] = entry
    _repair_markers(store, versions, [entries[prefix] for prefix in unread])
    if rebuild or len(unread) + len(known.keys() - versions.keys()) >= _MIN_CHANGES:
        _write_index(store, (entry for entry in entries.values() if entry.version))
    found = [entry.summary for entry in entries.values() if entry.summary is not None]
    runs = [run for run in found if run.status == "finished"]
    runs += in_parallel(lambda run: _with_progress(store, run), [run for run in found if run.status != "finished"])
    return sorted(runs, key=lambda run: (run.started, run.name), reverse=True)


def _is_fresh(entry: IndexEntry | None, versions: Versions) -> bool:
    if entry is None or (entry.version,) != versions:
        return False
    found = entry.summary
    return found is not None and (found.prefix, found.run_id) == (entry.prefix, run_id_of(entry.prefix))


def read_summary(store: Store, prefix: str) -> RunSummary | None:
    """Summarise a run from its own records; None where they are gone or cannot be read."""
    summary = _read_run(store, prefix, ()).summary
    return None if summary is None else _with_progress(store, summary)


def _read_run(store: Store, prefix: str, versions: Versions) -> IndexEntry:
    """Read the manifest of a run, or its configuration where it has no valid manifest."""
    manifest = _content(pin_manifest(store, prefix)[0], manifest_key(prefix))
    summary = None
    with suppress(ValidationError, IndexError):
        summary = None if manifest is None else RunSummary.from_manifest(prefix, manifest)
    if summary is None and (config := _content(store, f"{prefix}/{CONFIG}")) is not None:
        with suppress(ValidationError):
            summary = RunSummary.from_config(prefix, config)
    if folder_of(store) is not None:
        version = "".join(versions)
    else:
        version = "" if manifest is None else hashlib.sha256(manifest).hexdigest()
    return IndexEntry(prefix=prefix, version=version, summary=summary)


def _content(store: Store, key: str) -> bytes | None:
    """Return the content of an object; None where it was removed since it was listed, never existed, or is damaged."""
    try:
        return store.read(key)
    except (ObjectMissingError, ObjectDamagedError):
        return None


def _repair_markers(store: Store, versions: Mapping[str, Versions], read: Iterable[IndexEntry]) -> None:
    """Put markers right where a publisher was killed before it did, or where someone else removed a run."""
    if folder_of(store) is not None:
        return

    def repair(entry: IndexEntry) -> None:
        if entry.version:
            put_marker(store, entry.prefix, entry.version)
        else:
            remove_markers(store, entry.prefix)

    wrong = [entry for entry in read if versions[entry.prefix] != ((entry.version,) if entry.version else ())]
    # Listing also works with read permission alone.
    with suppress(RequestError, TransientError):
        in_parallel(repair, wrong, workers=_READERS)


def _with_progress(store: Store, summary: RunSummary) -> RunSummary:
    """Set the status of a run that a process of this machine is training, or that a study gave up."""
    run = local_run(store, summary.prefix)
    if run is not None and run.is_running():
        return summary.model_copy(update={"status": "running"})
    if summary.status != "unfinished":
        return summary
    with suppress(ModelFileError, ObjectDamagedError):  # damaged attempts: 'phase2 runs show' reports them
        for last in read_attempts(store, summary.prefix)[-1:]:
            if last.pruned_at is not None:
                return summary.model_copy(update={"status": "pruned", "epochs": last.pruned_at, "ended": last.end})
    return summary


def _read_index(store: Store) -> tuple[IndexEntry, ...]:
    """Return the entries of the index; none where it is missing, damaged, or of another version."""
    try:
        digest, _, content = store.read(INDEX).partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != digest:
            return ()
        return Index.model_validate_json(content).entries
    except (ObjectMissingError, ObjectDamagedError, ValidationError):
        return ()


def _write_index(store: Store, entries: Iterable[IndexEntry]) -> None:
    content = Index(entries=tuple(entries)).model_dump_json().encode()
    if len(content) > READ_BYTES // 2:
        return  # quicker to read than run by run up to here
    # Listing also works with read permission alone, or on a full disk.
    with suppress(RequestError, TransientError):
        store.put(INDEX, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
