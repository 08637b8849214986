"""Cross-validation: a sweep over the folds of one split. Pure."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from phase2.config.assignments import Setting
from phase2.config.data.splits import MATBENCH_FOLDS, MOST_FOLDS, RANDOM, parse_split
from phase2.config.multirun.sweep import LISTS, SweepRequest
from phase2.config.request.options import FLAG_PATHS, flag
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError

FOLDS = 5


def cross_validation(request: RunRequest, *, folds: int = FOLDS, matbench: bool = False) -> SweepRequest:
    """Return the sweep whose runs are tested on each fold in turn.

    Args:
        request: The request of each run; its split is random, or names the groups that stay in one fold.
        folds: Number of folds.
        matbench: Use the folds of matbench instead of our own.

    Raises:
        RequestError: The request has a split without folds, or something that no sweep has.

    Example:
        >>> sweep = cross_validation(RunRequest(algorithm="cgcnn", level="smoke", split="composition"), folds=3)
        >>> [run.request.split for run in sweep.runs("cv")]
        ['kfold:3/1:composition', 'kfold:3/2:composition', 'kfold:3/3:composition']
    """
    _refuse(request)
    names = _matbench_folds(request, folds) if matbench else _folds(request, folds)
    return SweepRequest(
        algorithm=request.algorithm,
        all_properties=request.all_properties,
        properties=request.properties,
        own_properties=request.own_properties,
        data=request.data,
        lists={**_lists(request), "split": ",".join(names)},
        settings={one.path: (one.value,) for one in (*request.settings, *_further(request))},
    )


def _refuse(request: RunRequest) -> None:
    for name in ("competition", "from_"):
        if request.given(name):
            raise RequestError(
                f"{flag(name)} cannot be cross-validated.",
                why="The folds are trained as a sweep, which has levels and random weights.",
                fix=f"Drop {flag(name)}, and name a level.",
            )
    if request.profile.fixed:
        raise RequestError(
            f"{request.algorithm} {request.mode} cannot be cross-validated.",
            why="Its data and its split are fixed.",
            fix="Use --level smoke.",
        )


def _folds(request: RunRequest, folds: int) -> list[str]:
    if not 2 <= folds <= MOST_FOLDS:
        raise RequestError(f"--folds {folds} is out of range.", fix=f"Give 2 to {MOST_FOLDS}.")
    split = parse_split(request.split or RANDOM)
    if split.method not in ("random", "stratified", "groups"):
        raise RequestError(
            f"--split {split.text} cannot be cross-validated.",
            why="The folds are drawn by crystal, or by groups that stay together.",
            fix="Drop --split, or name the groups: --split composition.",
        )
    grouped = f":{split.text}" if split.keys else ""
    return [f"kfold:{folds}/{fold}{grouped}" for fold in range(1, folds + 1)]


def _matbench_folds(request: RunRequest, folds: int) -> list[str]:
    if request.split is not None or folds != len(MATBENCH_FOLDS):
        raise RequestError(
            "--matbench excludes --split, and other numbers of folds.",
            why=f"Matbench has {len(MATBENCH_FOLDS)} folds, which are drawn by row.",
            fix="Drop one of the two.",
        )
    return [f"matbench:{fold}" for fold in MATBENCH_FOLDS]


def _lists(request: RunRequest) -> dict[str, str]:
    return {name: str(getattr(request, name)) for name in LISTS if name != "split" and request.given(name)}


def _further(request: RunRequest) -> list[Setting]:
    """Return the fields that no sweep has an option for, as settings."""
    named: set[str] = {one.name for one in fields(RunRequest)} - set(LISTS)
    given: list[tuple[str, Any]] = [
        (path, getattr(request, name)) for name, path in FLAG_PATHS.items() if name in named and request.given(name)
    ]
    return [Setting(path, value) for path, value in given]
