"""Deleting a study: what it keeps below ``.studies/<name>/``, and nothing of its runs."""

from __future__ import annotations

import re

from phase2.errors import RequestError
from phase2.runs.catalog.scan import run_prefixes
from phase2.runs.identity import is_run_prefix, run_id_of
from phase2.storage.base import Store
from phase2.storage.parallel import in_parallel
from phase2.tuning.keys import check_study_name, study_key, unknown_study
from phase2.tuning.workers import Worker, is_worker_id


def check_deletable(store: Store, name: str) -> list[str]:
    """Return the keys of a study that may be deleted; nothing is changed.

    Raises:
        RequestError: There is no such study, or a worker trains a trial of it.
    """
    keys = [info.key for info in store.list(f"{study_key(check_study_name(name))}/")]
    if not keys:
        raise unknown_study(store, name)
    worker = Worker(store, name)
    folder = study_key(name, "workers") + "/"
    ids = [key.removeprefix(folder).removesuffix(".json") for key in keys if key.startswith(folder)]
    if any(worker.is_alive(one) for one in ids if is_worker_id(one)):
        raise RequestError(
            f"A worker is at work on the study '{name}'.",
            why="It would write into a study that is gone.",
            fix="Stop it first (Ctrl-C, or 'phase2 cancel'); one that was killed elsewhere counts as gone after 90 s.",
        )
    return keys


def delete_study(store: Store, name: str) -> int:
    """Delete a study, its definition last, so that what is left of an interrupted call is deleted by the next.

    Returns:
        The number of its files.

    Raises:
        RequestError: As :func:`check_deletable`.
    """
    keys = check_deletable(store, name)
    definition = study_key(name, "study.json")
    in_parallel(store.delete, [key for key in keys if key != definition])
    store.delete(definition)
    return len(keys)


def runs_of_study(store: Store, name: str) -> list[str]:
    """Return the runs of the trials of a study that are in its store, ``<family>/<run name>``, in their order."""
    trial = re.compile(rf"{re.escape(name)}-([0-9]+)")
    found = {
        prefix: int(number[1])
        for prefix in run_prefixes(store)
        if is_run_prefix(prefix) and (number := trial.fullmatch(run_id_of(prefix)))
    }
    return sorted(found, key=found.__getitem__)
