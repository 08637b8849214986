"""Finding runs in a list: by name, and by rank."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from phase2.errors import ModelFileError, RequestError
from phase2.output.wording import counted
from phase2.runs.catalog.best import BEST, best_like, compare_best, measure_of
from phase2.runs.catalog.index import list_runs, read_summary
from phase2.runs.catalog.match import match_name, nearest_name, shortened
from phase2.runs.catalog.scan import run_prefixes
from phase2.runs.catalog.summary import RunSummary
from phase2.runs.identity import is_run_prefix, run_id_of
from phase2.runs.keys import local_run
from phase2.runs.remote.ids import run_of_id
from phase2.storage.base import Store
from phase2.storage.urls import open_store

_LOG = logging.getLogger(__name__)

LATEST = "latest"
_TIME = "%Y-%m-%d %H:%M"


def find(runs: Sequence[RunSummary], name: str) -> RunSummary:
    """Find a run by id, folder name, ``family/name``, a unique prefix of one of these, ``latest`` or ``best``.

    What ``latest`` and ``best`` compared is logged.

    Args:
        runs: The runs, the newest first.
        name: ``latest`` is the finished run that ended last, ``best`` the one with the lowest score of runs with the
            same properties, data and split, ``best:bulk_modulus`` the one with the lowest validation MAE of a property
            of runs with the same data and split.

    Raises:
        RequestError: No run matches, several do, or the best of runs that do not compare was asked for.
        UnknownNameError: ``best:`` is followed by no property.
    """
    if name == LATEST:
        return _latest(runs)
    if (by := measure_of(name)) is not None:
        best = compare_best(runs, by)
        _LOG.info(best.sentence())
        return best.runs[0]
    by_prefix = {run.prefix: run for run in runs}
    return by_prefix[_match({prefix: _names(run) for prefix, run in by_prefix.items()}, name)]


def find_prefix(store: Store, name: str) -> str:
    """Find the prefix of a run to delete, finished or not, by the keys of a store alone.

    No index is read: for ``latest`` and ``best`` every run is. A beginning of a name is none: where the run is gone, it
    would be that of another one.

    Args:
        store: The store.
        name: Run id, folder name, ``family/name``, ``latest`` or ``best``.

    Raises:
        RequestError: No run has the name, or several have.
    """
    if name == LATEST or measure_of(name) is not None:
        return find(list_runs(store, rebuild=True), name).prefix
    if is_run_prefix(name) and _is_there(store, name):
        return name
    runs = [prefix for prefix in run_prefixes(store) if is_run_prefix(prefix)]
    names = {prefix: (run_id_of(prefix), prefix.partition("/")[2], prefix) for prefix in runs}
    if begun := [prefix for prefix in match_name(names, name, names.__getitem__) if name not in names[prefix]]:
        raise RequestError(
            f"There is no run '{name}'.",
            why=f"{shortened(begun)} starts with that; a run to delete is named in full.",
            fix="Give the whole id, or family/name.",
        )
    return _match(names, name)


def _is_there(store: Store, prefix: str) -> bool:
    """Whether a store has any object of a run, or its id alone."""
    if any(store.list(f"{prefix}/")):
        return True
    with suppress(ModelFileError):
        return run_of_id(store, run_id_of(prefix)) == prefix
    return False


def _match(names: Mapping[str, Sequence[str]], name: str) -> str:
    found = match_name(names, name, names.__getitem__)
    if len(found) == 1:
        return found[0]
    if found:
        raise RequestError(
            f"'{name}' matches {len(found)} runs.",
            why=f"{shortened(found)} have that name or start with it.",
            fix="Give more of the name, such as family/name.",
        )
    raise _unknown(names, name)


def default_model_file(output: Path, by: str | None = None) -> Path:
    """Return the model file that is used where none is named, and log why.

    It is that of :func:`default_run` among the runs whose model file is there.

    Args:
        output: Folder of the runs.
        by: A property by whose validation MAE the best of all runs is chosen instead.

    Raises:
        ModelFileError: There is no finished run.
        RequestError: ``by`` was given, and the runs that have this property do not compare.
    """
    store = open_store(str(output)) if output.is_dir() else None
    listed = list_runs(store) if store else []
    files = {run.prefix: file for run in listed if store and (file := _model_file(store, run))}
    runs = [run for run in listed if run.prefix in files]
    if not runs:
        raise ModelFileError(
            f"There is no finished run in {output}.",
            why="A model comes from a run whose manifest says that it is finished.",
            fix="Train one with 'phase2 train --algorithm cgcnn --level smoke', or name a model with --model.",
        )
    return output / files[(default_run(runs) if by is None else find(runs, f"{BEST}:{by}")).prefix]


def default_run(runs: Sequence[RunSummary]) -> RunSummary:
    """Return the run that is used where none is named, and log why.

    It is the best run, by validation score, among those with the properties, data and split of the run that finished
    last: of the seeds of an ensemble or the runs of a sweep the best one, and never one of another task.

    Args:
        runs: Finished runs, at least one.
    """
    best = best_like(runs, max(runs, key=_end))
    if len(runs) > 1:
        others = len(runs) - len(best.runs)
        _LOG.info(best.sentence() + (f"; {counted(others, 'older run')} of other tasks" if others else ""))
    return best.runs[0]


def _model_file(store: Store, run: RunSummary) -> str | None:
    """Return where the model file of a finished run is in its store; None where it is not."""
    folder = local_run(store, run.prefix) if run.status == "finished" else None
    return f"{run.prefix}/{folder.best.name}" if folder is not None and folder.best.is_file() else None


def find_in(store: Store, name: str) -> RunSummary:
    """Find a run in a store, as :func:`find` does; where its records say other than the index, without the index."""
    found = find(list_runs(store), name)
    return found if read_summary(store, found.prefix) == found else find(list_runs(store, rebuild=True), name)


def _names(run: RunSummary) -> tuple[str, str, str]:
    return run.run_id, run.name, run.prefix


def _end(run: RunSummary) -> tuple[datetime, str]:
    return run.ended or run.started, run.run_id


def _latest(runs: Iterable[RunSummary]) -> RunSummary:
    finished = [run for run in runs if run.status == "finished"]
    if not finished:
        raise _none("finished run")
    found = max(finished, key=_end)
    _LOG.info(
        "run %s: latest of %d finished, ended %s UTC", found.run_id, len(finished), _end(found)[0].strftime(_TIME)
    )
    return found


def _none(kind: str) -> RequestError:
    return RequestError(f"There is no {kind} here.", fix="Name another store with --store, or train a run.")


def _unknown(names: Mapping[str, Sequence[str]], name: str) -> RequestError:
    nearest = nearest_name(names, name, names.__getitem__)
    return RequestError(
        f"There is no run '{name}'.",
        why=f"There {'is' if len(names) == 1 else 'are'} {counted(len(names), 'run')}.",
        fix=f"Did you mean '{nearest}'?" if nearest else "'phase2 runs list' shows all runs.",
    )
