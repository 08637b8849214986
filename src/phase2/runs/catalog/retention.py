"""Retention: which runs of a store to remove."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from phase2.runs.catalog.best import best_first
from phase2.runs.catalog.summary import WITHOUT_MANIFEST, RunSummary


def runs_to_prune(
    runs: Iterable[RunSummary], *, keep_best: int, older_than: timedelta | None, now: datetime
) -> list[RunSummary]:
    """Choose the runs to remove, the oldest first.

    A run is chosen when it is old enough and not among the best of its kind: same family, properties and data, since
    only their scores compare. Runs that can still be resumed, unfinished, pruned or running, are never chosen.

    Args:
        runs: All runs.
        keep_best: Number of runs of each kind to keep regardless of age, by score.
        older_than: Minimum age since the end of a run; None is any age.
        now: The current time.
    """
    ended = [run for run in runs if run.status not in WITHOUT_MANIFEST]
    kinds = defaultdict(list)
    for run in ended:
        kinds[run.family, frozenset(run.properties), run.data].append(run)
    kept = {run.prefix for kind in kinds.values() for run in best_first(kind)[:keep_best]}
    old = [run for run in ended if older_than is None or now - (run.ended or run.started) > older_than]
    return sorted((run for run in old if run.prefix not in kept), key=lambda run: (run.started, run.prefix))
