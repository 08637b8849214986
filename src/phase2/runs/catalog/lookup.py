"""Finding runs in a list: by name, and by rank."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from phase2.errors import ModelFileError, RequestError
from phase2.runs.catalog.index import list_runs, read_summary
from phase2.runs.catalog.match import match_name, nearest_name, shortened
from phase2.runs.catalog.scan import run_prefixes
from phase2.runs.catalog.summary import RunSummary
from phase2.runs.identity import is_run_prefix, run_id_of
from phase2.runs.keys import local_run
from phase2.runs.remote.ids import run_of_id
from phase2.storage.base import Store
from phase2.storage.urls import open_store

SCORE = "score"
_BY_RANK = ("latest", "best")


def best_first(runs: Iterable[RunSummary], by: str = SCORE) -> list[RunSummary]:
    """Sort the finished runs that have the number to compare, the best first.

    Args:
        runs: The runs.
        by: ``score``, or a property to compare by validation MAE. Test errors are not available: choosing by them would
            leak test data into model selection.
    """
    finished = [run for run in runs if run.status == "finished"]
    ranked = [(value, run) for run in finished if (value := ranking_value(run, by)) is not None]
    return [run for _, run in sorted(ranked, key=lambda pair: (pair[0], pair[1].prefix))]


def ranking_value(run: RunSummary, by: str = SCORE) -> float | None:
    """Return the number that runs are ranked by; lower is better, None where a run has none."""
    return run.score if by == SCORE else run.val_mae.get(by)


def find(runs: Sequence[RunSummary], name: str) -> RunSummary:
    """Find a run by id, folder name, ``family/name``, a unique prefix of one of these, ``latest`` or ``best``.

    Args:
        runs: The runs, the newest first.
        name: ``latest`` is the finished run that ended last, ``best`` the one with the lowest score.

    Raises:
        RequestError: No run matches, or several do.
    """
    if name in _BY_RANK:
        return _latest(runs) if name == "latest" else _best(runs)
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
    if name in _BY_RANK:
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


def latest_model_file(output: Path) -> Path:
    """Return the model file of the run in a folder that finished last.

    Raises:
        ModelFileError: There is no finished run.
    """
    store = open_store(str(output)) if output.is_dir() else None
    finished = [run for run in list_runs(store) if run.status == "finished"] if store else []
    for run in sorted(finished, key=_end, reverse=True):
        folder = local_run(store, run.prefix) if store else None
        if folder is not None and folder.best.is_file():
            return output / run.prefix / folder.best.name
    raise ModelFileError(
        f"There is no finished run in {output}.",
        why="A model comes from a run whose manifest says that it is finished.",
        fix="Train one with 'phase2 train --algorithm cgcnn --level smoke', or name a model with --model.",
    )


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
    return max(finished, key=_end)


def _best(runs: Iterable[RunSummary]) -> RunSummary:
    ranked = best_first(runs)
    if not ranked:
        raise _none("finished run with a score")
    return ranked[0]


def _none(kind: str) -> RequestError:
    return RequestError(f"There is no {kind} here.", fix="Name another store with --store, or train a run.")


def _unknown(names: Mapping[str, Sequence[str]], name: str) -> RequestError:
    nearest = nearest_name(names, name, names.__getitem__)
    return RequestError(
        f"There is no run '{name}'.",
        why=f"There are {len(names)} runs." if names else "There are no runs.",
        fix=f"Did you mean '{nearest}'?" if nearest else "'phase2 runs list' shows all runs.",
    )
