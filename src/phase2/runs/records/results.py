"""The results of a run: errors by part and property, beside the median baseline (``results.json``)."""

from __future__ import annotations

import math
from typing import Self

from pydantic import Field

from phase2.config.levels import Algorithm, Mode
from phase2.runs.records.baselines import PropertyBaseline
from phase2.runs.records.execution import Execution
from phase2.runs.records.intervals import PropertyIntervals
from phase2.runs.records.splits import Leakage
from phase2.storage.records import Counted, Record

THRESHOLD = 0.5
"""Probability from which a crystal counts as predicted to be true."""


def _is_none(value: object) -> bool:
    return value is None


class PropertyMetrics(Record):
    """Errors of one property over the labelled crystals of one part of the data, in physical units.

    Of a binary property, whose predictions are probabilities, the first four errors are null and the last six are
    there; of any other property they are left out.

    Attributes:
        key: The property.
        unit: Unit of ``mae``, ``rmse`` and ``baseline_mae``; empty for a number without one.
        count: Labels compared; the numbers below are null when it is 0.
        mae: Mean absolute error.
        rmse: Root of the mean squared error.
        r2: Share of the labels' variance that is explained; null when they are all equal.
        baseline_mae: Mean absolute error of predicting the median of the training labels.
        ratio: ``mae`` / ``baseline_mae``, or the same of the log loss: below 1 the model is better than the baseline.
        binary: Whether the property is binary.
        log_loss: Mean negative logarithm of the probability of what is true.
        baseline_log_loss: The same of predicting the share of true training labels; null where that is 0 or 1.
        roc_auc: Area under the receiver operating characteristic; null where all labels are alike.
        accuracy: Share of crystals on the right side of a probability of 0.5.
        baseline_accuracy: The same of predicting the more frequent training label.
        f1: Harmonic mean of precision and recall of the true ones; null where no label is true.
    """

    key: str
    unit: str
    count: Counted
    mae: float | None
    rmse: float | None
    r2: float | None
    baseline_mae: float | None
    ratio: float | None
    binary: bool | None = Field(default=None, exclude_if=_is_none)
    log_loss: float | None = Field(default=None, exclude_if=_is_none)
    baseline_log_loss: float | None = Field(default=None, exclude_if=_is_none)
    roc_auc: float | None = Field(default=None, exclude_if=_is_none)
    accuracy: float | None = Field(default=None, exclude_if=_is_none)
    baseline_accuracy: float | None = Field(default=None, exclude_if=_is_none)
    f1: float | None = Field(default=None, exclude_if=_is_none)

    @property
    def is_binary(self) -> bool:
        """Whether the property is binary."""
        return bool(self.binary)

    @property
    def error(self) -> float | None:
        """What is compared with the baseline: the MAE, or the log loss of a binary property."""
        return self.log_loss if self.is_binary else self.mae

    @property
    def baseline_error(self) -> float | None:
        """The same of the baseline."""
        return self.baseline_log_loss if self.is_binary else self.baseline_mae

    @classmethod
    def from_probabilities(
        cls,
        key: str,
        count: int,
        *,
        log_loss: float | None = None,
        baseline_log_loss: float | None = None,
        roc_auc: float | None = None,
        accuracy: float | None = None,
        baseline_accuracy: float | None = None,
        f1: float | None = None,
    ) -> Self:
        """Record the errors of predicted probabilities; a number that is not finite becomes None."""
        error, baseline = _finite(log_loss), _finite(baseline_log_loss)
        return cls(
            key=key, unit="", count=count, mae=None, rmse=None, r2=None, baseline_mae=None,
            ratio=None if error is None or not baseline else _finite(error / baseline),
            binary=True, log_loss=error, baseline_log_loss=baseline, roc_auc=_finite(roc_auc),
            accuracy=accuracy, baseline_accuracy=baseline_accuracy, f1=_finite(f1),
        )  # fmt: skip

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
        execution: How the training was computed; null where that was not recorded.
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
    execution: Execution | None = None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
