"""Multi-task models of crystal properties: one request, one run directory, the same everywhere.

The names below are loaded when they are first used: ``import phase2`` itself imports neither torch nor numpy.

Example:
    >>> import phase2
    >>> phase2.load_dataset("sample").crystals[0].formula
    'Pd'
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from phase2.api.cross_validation import CrossValidated, cross_validate
    from phase2.api.data.dataset import Dataset, load_dataset
    from phase2.api.loading import load_model
    from phase2.api.model import Model
    from phase2.api.request import RunSettings
    from phase2.api.results.evaluation import Evaluation
    from phase2.api.results.predictions import Predictions
    from phase2.api.runs.comparison import Comparison, compare
    from phase2.api.runs.run import Run, load_run
    from phase2.api.runs.run_list import RunList, list_runs
    from phase2.api.train import train
    from phase2.data.crystals.crystal import Crystal
    from phase2.errors import CallbackError, Phase2Error
    from phase2.training.callbacks.base import (
        AttemptBegin,
        Callback,
        DataProgress,
        EpochEnd,
        RunEnd,
        StepEnd,
        TrainBegin,
        TrainEnd,
    )

__all__ = [
    "AttemptBegin",
    "Callback",
    "CallbackError",
    "Comparison",
    "CrossValidated",
    "Crystal",
    "DataProgress",
    "Dataset",
    "EpochEnd",
    "Evaluation",
    "Model",
    "Phase2Error",
    "Predictions",
    "Run",
    "RunEnd",
    "RunList",
    "RunSettings",
    "StepEnd",
    "TrainBegin",
    "TrainEnd",
    "__version__",
    "compare",
    "cross_validate",
    "list_runs",
    "load_dataset",
    "load_model",
    "load_run",
    "train",
]

_MODULES = {
    "AttemptBegin": "phase2.training.callbacks.base",
    "Callback": "phase2.training.callbacks.base",
    "CallbackError": "phase2.errors",
    "Comparison": "phase2.api.runs.comparison",
    "CrossValidated": "phase2.api.cross_validation",
    "Crystal": "phase2.data.crystals.crystal",
    "DataProgress": "phase2.training.callbacks.base",
    "Dataset": "phase2.api.data.dataset",
    "EpochEnd": "phase2.training.callbacks.base",
    "Evaluation": "phase2.api.results.evaluation",
    "Model": "phase2.api.model",
    "Phase2Error": "phase2.errors",
    "Predictions": "phase2.api.results.predictions",
    "Run": "phase2.api.runs.run",
    "RunEnd": "phase2.training.callbacks.base",
    "RunList": "phase2.api.runs.run_list",
    "RunSettings": "phase2.api.request",
    "StepEnd": "phase2.training.callbacks.base",
    "TrainBegin": "phase2.training.callbacks.base",
    "TrainEnd": "phase2.training.callbacks.base",
    "compare": "phase2.api.runs.comparison",
    "cross_validate": "phase2.api.cross_validation",
    "list_runs": "phase2.api.runs.run_list",
    "load_dataset": "phase2.api.data.dataset",
    "load_model": "phase2.api.loading",
    "load_run": "phase2.api.runs.run",
    "train": "phase2.api.train",
}
"""Where each public name is defined."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module 'phase2' has no attribute '{name}'", name=name, obj=sys.modules[__name__])
    from phase2.config.extras import explain_missing_packages

    with explain_missing_packages():
        value = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List what is here already and the public names that are not loaded yet."""
    return sorted({*globals(), *__all__})
