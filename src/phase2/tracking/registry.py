"""The trackers by name, and the package that each needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from types import MappingProxyType

from phase2.config.extras import missing_extra
from phase2.config.settings import TRACK_VARIABLE
from phase2.errors import RequestError, UnknownNameError
from phase2.tracking.base import Tracker

TRACKERS = ("tensorboard", "mlflow", "wandb")
MLFLOW_VARIABLE = "MLFLOW_TRACKING_URI"


def check_trackers(names: Iterable[str]) -> tuple[str, ...]:
    """Return the named trackers, each once, in the order of ``TRACKERS``.

    Raises:
        UnknownNameError: There is no such tracker; the nearest is offered.
        MissingExtraError: Its package is not installed.
        RequestError: The address of the server is not known.
    """
    chosen = set(names)
    for name in sorted(chosen):
        if name not in TRACKERS:
            raise UnknownNameError.of("tracker", name, TRACKERS)
        if find_spec(name) is None and (error := missing_extra(ModuleNotFoundError(name=name))):
            raise error
    if "mlflow" in chosen and not os.environ.get(MLFLOW_VARIABLE):
        raise RequestError(
            f"The tracker mlflow needs the variable {MLFLOW_VARIABLE}.",
            why="It says where the MLflow server is.",
            fix=f"export {MLFLOW_VARIABLE}=http://HOST:5000",
        )
    return tuple(name for name in TRACKERS if name in chosen)


def trackers_of_process(given: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the trackers that were given, or else those of ``$PHASE2_TRACK``, which commas or spaces separate.

    Raises:
        UnknownNameError: There is no such tracker.
        MissingExtraError: Its package is not installed.
    """
    return check_trackers(list(given) or os.environ.get(TRACK_VARIABLE, "").replace(",", " ").split())


def make_tracker(name: str) -> Tracker:
    """Make a tracker, which imports its package."""
    return _MAKERS[name]()


def _tensorboard() -> Tracker:
    from phase2.tracking.backends.tensorboard import TensorBoardTracker

    return TensorBoardTracker()


def _mlflow() -> Tracker:
    from phase2.tracking.backends.mlflow import MlflowTracker

    return MlflowTracker()


def _wandb() -> Tracker:
    from phase2.tracking.backends.wandb import WandbTracker

    return WandbTracker()


_MAKERS: MappingProxyType[str, Callable[[], Tracker]] = MappingProxyType(
    {"tensorboard": _tensorboard, "mlflow": _mlflow, "wandb": _wandb}
)
