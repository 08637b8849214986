"""The numbers of a run, by part and property, beside the median baseline (``results.json``)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from phase2.config.levels import Algorithm, Mode
from phase2.storage.records import Record


class Metrics(Protocol):
    """Errors of one property over the labelled crystals of a part; numbers are None where there is none."""

    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def count(self) -> int: ...  # noqa: D102
    @property
    def mae(self) -> float | None: ...  # noqa: D102
    @property
    def rmse(self) -> float | None: ...  # noqa: D102
    @property
    def r2(self) -> float | None: ...  # noqa: D102
    @property
    def baseline_mae(self) -> float | None: ...  # noqa: D102


class PropertyResult(Record):
    """Errors of one property in one part of the data.

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
    count: int
    mae: float | None
    rmse: float | None
    r2: float | None
    baseline_mae: float | None
    ratio: float | None

    @classmethod
    def of(cls, metrics: Metrics) -> Self:
        """Take over what was measured; numbers that are not finite become None."""
        mae, baseline = _finite(metrics.mae), _finite(metrics.baseline_mae)
        return cls(
            key=metrics.key,
            unit=metrics.unit,
            count=metrics.count,
            mae=mae,
            rmse=_finite(metrics.rmse),
            r2=_finite(metrics.r2),
            baseline_mae=baseline,
            ratio=None if mae is None or not baseline else _finite(mae / baseline),
        )


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One property as a table shows it; numbers are None where there is none.

    Attributes:
        key: The property.
        unit: Its unit.
        val_mae: Validation MAE.
        test_mae: Test MAE.
        baseline_mae: Test MAE of the median baseline.
        times_better: Baseline MAE / MAE on the test part: 2 is half the median's error.
        r2: R2 on the test part.
        count: Test labels.
    """

    key: str
    unit: str
    val_mae: float | None
    test_mae: float | None
    baseline_mae: float | None
    times_better: float | None
    r2: float | None
    count: int


class Results(Record):
    """What a finished run achieved.

    Attributes:
        schema_version: Format of this file.
        run_id: Id of the run.
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: The level, or ``competition``.
        properties: Trained properties, in the order of the model's outputs.
        left_out: Properties asked for that have no label to train on.
        best_epoch: Epoch that ``best.pt`` is from, counted from 1.
        epochs: Epochs trained.
        score: Validation score of the best epoch: mean over the properties of ``ratio``; lower is better.
        train_labels: Training labels by property.
        mean_epoch_seconds: Mean time of an epoch.
        val: Errors on the validation part, by property.
        test: Errors on the test part, by property.
    """

    schema_version: int = 1
    run_id: str
    algorithm: Algorithm
    mode: Mode
    properties: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    best_epoch: int
    epochs: int
    score: float | None
    train_labels: dict[str, int]
    mean_epoch_seconds: float
    val: tuple[PropertyResult, ...]
    test: tuple[PropertyResult, ...]

    def rows(self) -> list[ResultRow]:
        """One row per property, for a table."""
        return result_rows(self.val, self.test)


def result_rows(val: Sequence[PropertyResult], test: Sequence[PropertyResult]) -> list[ResultRow]:
    """Set the two parts side by side, one row per property."""
    return [
        ResultRow(
            key=on_test.key,
            unit=on_test.unit,
            val_mae=on_val.mae,
            test_mae=on_test.mae,
            baseline_mae=on_test.baseline_mae,
            times_better=on_test.baseline_mae / on_test.mae if on_test.baseline_mae and on_test.mae else None,
            r2=on_test.r2,
            count=on_test.count,
        )
        for on_val, on_test in zip(val, test, strict=True)
    ]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
