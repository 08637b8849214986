"""Options that define a study, here and on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.options import request_option
from phase2.config.request import RunRequest
from phase2.config.search.dimensions import OVER
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.storage.base import Store
    from phase2.tuning.definition import StudyDefinition

TRIALS = 20

OverOption = Annotated[
    list[str] | None,
    typer.Option(
        OVER,
        metavar="PATH=VALUES",
        help="Setting to search, with its range or choices: training.lr=1e-4..1e-2:log, model.layers=2..4, "
        "training.batch_size=16,32; may be repeated.",
    ),
]
SpaceOption = Annotated[
    Path | None, typer.Option("--space", metavar="FILE", help="YAML file of settings to search, besides --over.")
]
TrialsOption = Annotated[
    int | None,
    request_option("--trials", help=f"Trials in all, those of earlier calls included (default: {TRIALS})."),
]
NameOption = Annotated[
    str | None,
    typer.Option("--name", help="Name of the study; the same name continues it, or joins it as a further worker."),
]
MinimiseOption = Annotated[
    str | None,
    typer.Option("--minimise", help="score, or a property, for its validation MAE (default: score)."),
]
PrunerOption = Annotated[
    str | None, typer.Option("--pruner", help="Stop hopeless trials: median, hyperband or none (default: median).")
]
HoursOption = Annotated[
    float | None,
    typer.Option("--timeout-hours", help="Stop after so long; the next call continues the trial in progress."),
]


def check_hours(hours: float | None) -> None:
    """Validate ``--timeout-hours``; raises ``RequestError``."""
    if hours is not None and not hours > 0:
        raise RequestError(f"--timeout-hours {hours} is not a positive number.", fix="Give 8, say.")


def define_study(
    store: Store | None,
    name: str | None,
    request: RunRequest,
    *,
    over: list[str],
    space: Path | None,
    minimise: str | None,
    pruner: str | None,
    trials: int | None,
) -> StudyDefinition:
    """Return the definition of a study.

    Args:
        store: Store of the study; None where it is out of reach, and the definition is not kept.
        name: Its name; alone it stands for the study of the store.
        request: Request that all trials share.
        over: Searched settings.
        space: File of searched settings.
        minimise: What is minimised.
        pruner: Rule by which trials are stopped.
        trials: Number of trials.

    Raises:
        RequestError: The study cannot be, or the one in the store is another.
        UnknownNameError: A name is unknown; the nearest is offered.
    """
    from phase2.tuning.definition import SCORE, StudyDefinition

    if trials is not None and trials < 1:
        raise RequestError(f"--trials {trials} is not a positive number.", fix="Give 1 or more.")
    is_defined = bool(over or space or minimise or pruner or request != RunRequest(output=request.output))
    if name is not None and store is not None and not is_defined:
        return StudyDefinition.load(store, name)
    from phase2.config.search.space import SearchSpace
    from phase2.runs.layout import new_run_id

    algorithm = request.profile.algorithm
    searched = SearchSpace.parse(over, algorithm)
    if space is not None:
        searched = searched.merged_with(SearchSpace.read(space, algorithm))
    defined = StudyDefinition.of(
        name or f"tune-{new_run_id()}",
        request,
        searched,
        minimise=minimise or SCORE,
        pruner=pruner or "median",
        trials=trials or TRIALS,
    )
    return defined if store is None else defined.save(store)
