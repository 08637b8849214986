"""Options that define a study, here and on a cluster."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.options import request_option, variable_of
from phase2.config.assignments import split_texts
from phase2.config.request.run_request import RunRequest
from phase2.config.search.dimensions import OVER
from phase2.config.settings import workflow_name
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.config.search.space import SearchSpace
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
    request_option(
        "--minimise", help="score, or a property, for its validation MAE, log loss of a binary one (default: score)."
    ),
]
PrunerOption = Annotated[
    str | None, request_option("--pruner", help="Stop hopeless trials: median, hyperband or none (default: median).")
]
HoursOption = Annotated[
    float | None,
    request_option("--timeout-hours", help="Stop after so long; the next call continues the trial in progress."),
]


def check_hours(hours: float | None) -> None:
    """Validate ``--timeout-hours``; raises ``RequestError``."""
    if hours is not None and not hours > 0:
        raise RequestError(f"--timeout-hours {hours} is not a positive number.", fix="Give 8, say.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    """What was given to define a study, or to name one.

    Attributes:
        name: Its name; alone it stands for the study of the store. In a workflow it is the workflow's by default.
        over: Searched settings; by default those of the variable of the option, as a workflow fills it in.
        space: File of searched settings.
        minimise: What is minimised.
        pruner: Rule by which trials are stopped.
        trials: Number of trials.

    Raises:
        RequestError: There are no trials.
    """

    name: str | None
    over: list[str] | None
    space: Path | None
    minimise: str | None
    pruner: str | None
    trials: int | None

    def __post_init__(self) -> None:
        if self.trials is not None and self.trials < 1:
            raise RequestError(f"--trials {self.trials} is not a positive number.", fix="Give 1 or more.")

    def define(self, request: RunRequest, *, store: Store | None = None) -> StudyDefinition:
        """Return the definition of the study, which is not kept yet unless its name alone was given.

        Args:
            request: Request that all trials share.
            store: Its store; None where it is out of reach.

        Raises:
            RequestError: The study cannot be.
            UnknownNameError: A name is unknown; the nearest is offered.
        """
        from phase2.tuning.definition import SCORE, StudyDefinition

        name, over = self.name or workflow_name(), self.over or split_texts(os.environ.get(variable_of(OVER), ""))
        is_defined = bool(over or self.space or self.minimise or self.pruner)
        if name and store is not None and not is_defined and request == RunRequest(output=request.output):
            return StudyDefinition.load(store, name)
        return StudyDefinition.of(
            name or _new_name(),
            request,
            _space(over, self.space, request),
            minimise=self.minimise or SCORE,
            pruner=self.pruner or "median",
            trials=self.trials or TRIALS,
        )


def _space(over: list[str], file: Path | None, request: RunRequest) -> SearchSpace:
    from phase2.config.search.space import SearchSpace

    algorithm = request.profile.algorithm
    space = SearchSpace.parse(over, algorithm)
    return space if file is None else space.merged_with(SearchSpace.read(file, algorithm))


def _new_name() -> str:
    from phase2.runs.layout import new_run_id

    return f"tune-{new_run_id()}"
