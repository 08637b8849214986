"""Collecting what the page shows: the runs of a store, of which only new and changed ones are read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from phase2.runs.keys import local_run
from phase2.runs.page.reading import read_run
from phase2.runs.page.row import Curves, PageRun, with_summary
from phase2.runs.page.scripts import content_name, script
from phase2.runs.page.state import Entry
from phase2.runs.page.versions import page_versions
from phase2.storage.base import Store
from phase2.storage.parallel import in_parallel

CURVES = "curves"
_READERS = 16


@dataclass(frozen=True, slots=True)
class CollectedRuns:
    """The runs of a store, as far as they are known now.

    Attributes:
        entries: Every run by prefix.
        scripts: Scripts of learning curves that are new, by name.
        read: Prefixes of the runs that were read.
    """

    entries: Mapping[str, Entry]
    scripts: Mapping[str, bytes]
    read: tuple[str, ...]


def collect_runs(store: Store, known: Mapping[str, Entry], *, present: Collection[str]) -> CollectedRuns:
    """Collect the runs of a store; one whose version is known, and whose curves are there, is not read.

    Args:
        store: The store.
        known: Entries of the last build.
        present: Names of the files of the page.

    Raises:
        RequestError: The store cannot be read.
        TransientError: The store does not respond.
    """
    versions = page_versions(store)
    files = {None, *present}
    fresh = {
        prefix: entry
        for prefix, entry in known.items()
        if versions.get(prefix) == entry.version and entry.curves in files
    }
    unread = tuple(prefix for prefix in versions if prefix not in fresh)
    found = in_parallel(lambda prefix: _read(store, prefix, versions[prefix]), unread, workers=_READERS)
    read = {entry.prefix: entry for entry, _ in found}
    entries = {prefix: fresh.get(prefix) or read[prefix] for prefix in versions}
    scripts = {entry.curves: content for entry, content in found if entry.curves}
    return CollectedRuns(entries, scripts, unread)


def shown_runs(store: Store, entries: Mapping[str, Entry]) -> list[tuple[PageRun, str | None]]:
    """Return the runs that the page shows with their files of curves, the newest first.

    Whether a process of this machine trains a run is asked now: it is no part of what is kept.
    """
    found = [(_as_running(store, entry.run), entry.curves) for entry in entries.values() if entry.run is not None]
    return sorted(found, key=lambda each: (each[0].summary.started, each[0].summary.prefix), reverse=True)


def _as_running(store: Store, run: PageRun) -> PageRun:
    if run.summary.status == "finished":
        return run
    directory = local_run(store, run.summary.prefix)
    return with_summary(run, status="running") if directory is not None and directory.is_running() else run


def _read(store: Store, prefix: str, version: str) -> tuple[Entry, bytes]:
    found = read_run(store, prefix)
    content = b"" if found.curves is None else curves_script(prefix, found.curves)
    name = content_name(CURVES, content) if content else None
    return Entry(prefix=prefix, version=version, run=found.run, curves=name), content


def curves_script(prefix: str, curves: Curves) -> bytes:
    """Return the script that hands the learning curves of a run to the page."""
    return script("runsPage.curves", prefix, curves.model_dump(mode="json"))
