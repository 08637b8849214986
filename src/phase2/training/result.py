"""Paths that a training writes, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.models.files.modelfile import TrainedModel
from phase2.runs.records.execution import Execution
from phase2.runs.records.history import EpochRow
from phase2.runs.records.intervals import PropertyIntervals
from phase2.runs.records.results import PropertyMetrics


@dataclass(frozen=True, slots=True)
class TrainingFiles:
    """Paths of the files that a training writes.

    Attributes:
        best: The best model.
        checkpoint: The newest checkpoint.
        previous: The one before.
        history: One row per epoch.
    """

    best: Path
    checkpoint: Path
    previous: Path
    history: Path


@dataclass(frozen=True, slots=True, eq=False)
class TrainingResult:
    """Result of a finished training.

    Attributes:
        trained: The best model and what belongs to it, as in ``best.pt``.
        val: Its predictions for ``split.val``, in that order, (B, P) float64, physical units.
        test: Its predictions for ``split.test``.
        val_metrics: By property.
        test_metrics: By property.
        intervals: How well intervals hold on the test part, by property.
        test_novelty: Distance of the test crystals from the training crystals, (B,) float64.
        history: One row per epoch.
        execution: How it was computed.
        stopped_early: The score had not improved for ``patience`` epochs.
    """

    trained: TrainedModel
    val: NDArray[np.float64]
    test: NDArray[np.float64]
    val_metrics: tuple[PropertyMetrics, ...]
    test_metrics: tuple[PropertyMetrics, ...]
    intervals: tuple[PropertyIntervals, ...]
    test_novelty: NDArray[np.float64]
    history: tuple[EpochRow, ...]
    execution: Execution
    stopped_early: bool
