"""The results of a run: errors by part and property, beside the median baseline (``results.json``)."""

from __future__ import annotations

import math
from typing import Self

from phase2.config.levels import Algorithm, Mode
from phase2.runs.baselines import PropertyBaseline
from phase2.runs.intervals import PropertyIntervals
from phase2.runs.splits import Leakage
from phase2.storage.records import Counted, Record


class PropertyMetrics(Record):
    """Errors of one property over the labelled crystals of one part of the data, in physical units.

    Attributes:
        key: The property.
        unit: Unit of ``mae``, ``rmse`` and ``baseline_mae``; empty for a number without one.
        count: Labels compared; the numbers below are null when it is 0.
        mae: Mean absolute error.
        rmse: Root of the mean squared error.
        r2: Share of the labels' variance that is explained; null when they are all equal.
        baseline_mae: Mean absolute error of predicting the median of the training labels.
        ratio: ``mae`` / ``baseline_mae``: below 1 the model is better than the median.
    """

    key: str
    unit: str
    count: Counted
    mae: float | None
    rmse: float | None
    r2: float | None
    baseline_mae: float | None
    ratio: float | None

    @classmethod
    def from_errors(
        cls,
        key: str,
        unit: str,
        count: int,
        *,
        mae: float | None = None,
        rmse: float | None = None,
        r2: float | None = None,
        baseline_mae: float | None = None,
    ) -> Self:
        """Record measured errors and their ratio; a number that is not finite becomes None."""
        error, baseline = _finite(mae), _finite(baseline_mae)
        return cls(
            key=key,
            unit=unit,
            count=count,
            mae=error,
            rmse=_finite(rmse),
            r2=_finite(r2),
            baseline_mae=baseline,
            ratio=None if error is None or not baseline else _finite(error / baseline),
        )


class Results(Record):
    """Results of a finished run.

    Attributes:
        schema_version: Format of this file.
        run_id: Id of the run.
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: The level, or ``competition``.
        properties: Trained properties, in the order of the model's outputs.
        left_out: Requested properties without a label to train on.
        best_epoch: Epoch of ``best.pt``, counted from 1.
        epochs: Epochs trained.
        score: Validation score of the best epoch: mean over the properties of ``ratio``; lower is better.
        train_labels: Training labels by property.
        mean_epoch_seconds: Mean duration of an epoch.
        val: Errors on the validation part, by property.
        test: Errors on the test part, by property.
        baselines: Errors of the baselines, by property; empty where they were not computed.
        intervals: How well intervals hold on the test part, by property.
        leakage: Test crystals that are nearly in the training part; null where that was not measured.
    """

    schema_version: Counted = 1
    run_id: str
    algorithm: Algorithm
    mode: Mode
    properties: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    best_epoch: Counted
    epochs: Counted
    score: float | None
    train_labels: dict[str, Counted]
    mean_epoch_seconds: float
    val: tuple[PropertyMetrics, ...]
    test: tuple[PropertyMetrics, ...]
    baselines: tuple[PropertyBaseline, ...] = ()
    intervals: tuple[PropertyIntervals, ...] = ()
    leakage: Leakage | None = None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
