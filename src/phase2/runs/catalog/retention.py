"""Which runs to remove when a store is tidied up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from phase2.runs.catalog.lookup import best_first
from phase2.runs.catalog.summary import RunSummary


def runs_to_prune(
    runs: Iterable[RunSummary], *, keep_best: int, older_than: timedelta | None, now: datetime
) -> list[RunSummary]:
    """Choose the runs to remove, the oldest first.

    A run goes when it is old enough and not among the best of its kind: same family, properties and data, for scores of
    different ones do not compare. Runs that may still be resumed, unfinished or running, are never chosen.

    Args:
        runs: All runs.
        keep_best: How many of each kind stay however old they are, by score.
        older_than: Age since the end of a run from which it may go; None is any age.
        now: The time to count from.
    """
    ended = [run for run in runs if run.status not in {"running", "unfinished"}]
    kinds = defaultdict(list)
    for run in ended:
        kinds[run.family, frozenset(run.properties), run.data].append(run)
    kept = {run.prefix for kind in kinds.values() for run in best_first(kind)[:keep_best]}
    old = [run for run in ended if older_than is None or now - (run.ended or run.started) > older_than]
    return sorted((run for run in old if run.prefix not in kept), key=lambda run: (run.started, run.prefix))
