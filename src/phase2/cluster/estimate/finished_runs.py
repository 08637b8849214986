"""Finished runs of a store, as the basis of an estimate."""

from __future__ import annotations

from phase2.config.levels import Algorithm, Mode
from phase2.errors import Phase2Error
from phase2.runs.catalog.index import list_runs
from phase2.runs.catalog.summary import RunSummary
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.records.manifest import RunManifest
from phase2.storage.base import Store
from phase2.storage.parallel import in_parallel

_MAX_RUNS = 8


def newest_finished_runs(store: Store, algorithm: Algorithm, mode: Mode) -> list[RunManifest]:
    """Read the manifests of the newest finished runs of an algorithm and mode; a damaged one is skipped.

    Raises:
        RequestError: The store cannot be read.
        TransientError: The store does not answer.
    """
    runs = [
        run for run in list_runs(store) if run.status == "finished" and (run.algorithm, run.mode) == (algorithm, mode)
    ]

    def read(run: RunSummary) -> RunManifest | None:
        try:
            return PublishedRun.open(store, run.prefix).manifest
        except Phase2Error:
            return None

    return [manifest for manifest in in_parallel(read, runs[:_MAX_RUNS]) if manifest is not None]
