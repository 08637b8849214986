"""All runs of a store, quickly: an index spares reading manifests that have not changed.

The index is never the truth. What is a run is decided by listing the store: an entry counts only when the run is still
there and carries the mark that it was read under. Missing, damaged or stale, the index costs time and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Literal

from pydantic import ValidationError

from phase2.errors import RequestError, TransientError
from phase2.runs.catalog.scan import Marks, marked_runs
from phase2.runs.catalog.summary import RunSummary
from phase2.runs.keys import folder_of, local_run, manifest_key
from phase2.runs.layout import CONFIG
from phase2.runs.publish.markers import stamp_run, unstamp_run
from phase2.storage.base import ObjectDamagedError, ObjectMissingError, Store
from phase2.storage.parallel import in_parallel
from phase2.storage.records import Record

INDEX = ".index.json"
# Reading so many records is quicker than writing the index of ten thousand.
_WORTH_WRITING = 50
_READERS = 16


class IndexEntry(Record):
    """What was read of one run.

    Attributes:
        prefix: Where it lies in its store.
        mark: The mark that it was read under; empty when it had none, and has to be read again.
        summary: What it says; null when it is damaged.
    """

    prefix: str
    mark: str
    summary: RunSummary | None


class Index(Record):
    """All entries of a store."""

    schema_version: Literal[2] = 2
    entries: tuple[IndexEntry, ...]


def list_runs(store: Store, *, rebuild: bool = False) -> list[RunSummary]:
    """List the runs of all families, the newest first; whatever is no run is passed over.

    Args:
        store: The store.
        rebuild: Read every run, whatever index and stamps say, and make these anew.

    Raises:
        RequestError: The store cannot be read.
        TransientError: The store does not answer.
    """
    with ThreadPoolExecutor(1) as pool:
        index = pool.submit(_read, store)
        marks = marked_runs(store)
    known = {} if rebuild else {entry.prefix: entry for entry in index.result()}
    entries = {prefix: known[prefix] for prefix in marks if _is_fresh(known.get(prefix), marks[prefix])}
    unread = [prefix for prefix in marks if prefix not in entries]
    for entry in in_parallel(lambda prefix: _look(store, prefix, marks[prefix]), unread, workers=_READERS):
        entries[entry.prefix] = entry
    _mend_stamps(store, marks, [entries[prefix] for prefix in unread])
    if rebuild or len(unread) + len(known.keys() - marks.keys()) >= _WORTH_WRITING:
        _write(store, (entry for entry in entries.values() if entry.mark))
    runs = [_as_of_now(store, entry.summary) for entry in entries.values() if entry.summary is not None]
    return sorted(runs, key=lambda run: (run.started, run.name), reverse=True)


def _is_fresh(entry: IndexEntry | None, marks: Marks) -> bool:
    return entry is not None and (entry.mark,) == marks


def _look(store: Store, prefix: str, marks: Marks) -> IndexEntry:
    """Read a run itself."""
    manifest = _content(store, manifest_key(prefix))
    summary = None
    with suppress(ValidationError, IndexError):
        summary = None if manifest is None else RunSummary.from_manifest(prefix, manifest)
    if summary is None and (config := _content(store, f"{prefix}/{CONFIG}")) is not None:
        with suppress(ValidationError):
            summary = RunSummary.from_config(prefix, config)
    if folder_of(store) is not None:
        mark = "".join(marks)
    else:
        mark = "" if manifest is None else hashlib.sha256(manifest).hexdigest()
    return IndexEntry(prefix=prefix, mark=mark, summary=summary)


def _content(store: Store, key: str) -> bytes | None:
    """What is stored, or None: removed since it was listed, never there, or damaged."""
    try:
        return store.read(key)
    except (ObjectMissingError, ObjectDamagedError):
        return None


def _mend_stamps(store: Store, marks: Mapping[str, Marks], looked_at: Iterable[IndexEntry]) -> None:
    """Make stamps say what was found, where a publisher was killed before it did or something else removed a run."""
    if folder_of(store) is not None:
        return

    def mend(entry: IndexEntry) -> None:
        if entry.mark:
            stamp_run(store, entry.prefix, entry.mark)
        else:
            unstamp_run(store, entry.prefix)

    wrong = [entry for entry in looked_at if marks[entry.prefix] != ((entry.mark,) if entry.mark else ())]
    # Whoever may only read still gets the list.
    with suppress(RequestError, TransientError):
        in_parallel(mend, wrong, workers=_READERS)


def _as_of_now(store: Store, summary: RunSummary) -> RunSummary:
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
