"""The programs of the operation manual: the same functions as ``phase2``, under the manual's names."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import typer

from phase2.cli.data.prepare import process_data
from phase2.cli.models.predict import predict
from phase2.cli.process.boundary import run
from phase2.cli.request_options import takes_request
from phase2.cli.training.train import train, train_request
from phase2.config.levels import Backend, Level
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError

_DEFAULT_LEVELS: dict[Backend, Level] = {
    "train_multitask_lite": "lite",
    "train_multitask_std": "std",
    "train_multitask_pro": "pro",
    "train_multitask_cgcnn": "std",
}


def run_phase2() -> int:
    """``run_phase2.py``: train any algorithm at any level, or the competition profile."""
    return _program(train)


def train_backend(backend: Backend) -> int:
    """``train_multitask_*.py``: train what one backend of the levels table is for."""
    algorithm = "cgcnn" if backend == "train_multitask_cgcnn" else "e3nn"
    return _program(takes_request(_only(backend), fixed={"algorithm": algorithm}))


def inference_multitask() -> int:
    """``inference_multitask.py``: predict the properties of one structure or of a folder."""
    return _program(predict)


def process_data_phase2() -> int:
    """``process_data_phase2.py``: build the graph store of a data set ahead of training.

    Unlike ``phase2 data prepare``, which is a step of workflows, it ends with exit code 3 if a record exceeds a limit.
    """
    return _program(process_data)


def _program(command: Callable[..., None]) -> int:
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command()(command)
    return run(app)


def _only(backend: Backend) -> Callable[..., None]:
    @functools.wraps(train_request)
    def command(request: RunRequest, run: str | None = None, **options: Any) -> None:
        # A run that is named has its own settings.
        train_request(request if run else _narrowed(request, backend), run, **options)

    return command


def _narrowed(request: RunRequest, backend: Backend) -> RunRequest:
    if request.level is None and not request.competition:
        request = replace(request, level=_DEFAULT_LEVELS[backend])
    if request.profile.backend != backend:
        raise RequestError(
            f"{backend}.py does not train {request.algorithm} {request.mode}.",
            why=f"That is the work of {request.profile.backend}.py.",
            fix=f"Run {request.profile.backend}.py, or run_phase2.py, which finds the backend itself.",
        )
    return request
