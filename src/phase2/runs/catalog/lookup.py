"""Finding runs in a list: by name, and by rank."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from phase2.errors import ModelFileError, RequestError
from phase2.runs.catalog.index import list_runs
from phase2.runs.catalog.match import match_name, nearest_name, shortened
from phase2.runs.catalog.summary import RunSummary
from phase2.runs.keys import local_run
from phase2.storage.base import Store
from phase2.storage.urls import open_store

SCORE = "score"


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
    if name in {"latest", "best"}:
        return _latest(runs) if name == "latest" else _best(runs)
    found = match_name(runs, name, _names)
    if len(found) == 1:
        return found[0]
    if found:
        raise RequestError(
            f"'{name}' matches {len(found)} runs.",
            why=f"{shortened([run.prefix for run in found])} have that name or start with it.",
            fix="Give more of the name, such as family/name.",
        )
    raise _unknown(runs, name)


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
    """Find a run in a store, as :func:`find` does."""
    return find(list_runs(store), name)


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


def _unknown(runs: Sequence[RunSummary], name: str) -> RequestError:
    nearest = nearest_name(runs, name, _names)
    return RequestError(
        f"There is no run '{name}'.",
        why=f"There are {len(runs)} runs." if runs else "There are no runs.",
        fix=f"Did you mean '{nearest}'?" if nearest else "'phase2 runs list' shows all runs.",
    )
