"""Pages of finished runs, made or brought up to date afterwards."""

from __future__ import annotations

import time
from pathlib import Path

from phase2.errors import TransientError
from phase2.runs.keys import local_run
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.local_files import run_files
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.records.history import read_history
from phase2.tracking.messages import End
from phase2.tracking.page import RunPage, attached_files, run_page, run_result
from phase2.tracking.process import TrackerProcess

PATIENCE = 120.0
"""Seconds that a tracker may take for one run."""

_WANTED = {RunDirectory(Path()).history.name, *(file.name for file in attached_files(RunDirectory(Path())))}


def export_run(found: PublishedRun, tracker: str, *, folder: Path, patience: float = PATIENCE) -> str:
    """Make the page of a finished run, or add to it what it lacks: called twice, it doubles nothing.

    Args:
        found: The run.
        tracker: Name of the tracker, checked before.
        folder: Folder for the files of trackers that keep them on this machine.
        patience: Seconds that it may take.

    Returns:
        Where the page is.

    Raises:
        ModelFileError: The history of the run is missing or damaged.
        DataError: A file of the run is damaged in its store.
        TransientError: The tracker does not do it, or the store does not respond.
    """
    is_local = local_run(found.store, found.prefix) is not None
    published = None if is_local else f"{found.store.url.rstrip('/')}/{found.prefix}"
    with run_files(found, _WANTED) as run:
        process = TrackerProcess(tracker)
        result = run_result(run, found.manifest, published=published)
        for message in (_page(run, found, folder), result, End("finished")):
            process.send(message)
        last = process.wait(time.monotonic() + patience)
    if not last.complete:
        raise TransientError(
            f"The page of the run '{found.manifest.run_id}' in {tracker} is not complete.",
            why=f"{last.text}.",
            fix="Run the same command again: what is there is not written twice.",
        )
    return last.text


def _page(run: RunDirectory, found: PublishedRun, folder: Path) -> RunPage:
    manifest = found.manifest
    return run_page(
        run,
        manifest.config,
        fingerprint=manifest.data.fingerprint if manifest.data else "",
        rows=read_history(run.history),
        started=manifest.attempts[0].start if manifest.attempts else None,
        folder=folder,
    )
