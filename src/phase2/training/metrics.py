"""Errors of predictions in physical units, compared with predicting the median."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.errors import RequestError
from phase2.properties import Property
from phase2.runs.records.results import PropertyMetrics
from phase2.training.binary_metrics import evaluate_binary


def evaluate(
    predictions: NDArray[np.float64],
    targets: NDArray[np.float64],
    properties: Sequence[Property],
    baseline: NDArray[np.float64],
) -> tuple[PropertyMetrics, ...]:
    """Compute the errors of predictions for each property.

    Args:
        predictions: Shape (B, P), physical units.
        targets: Shape (B, P), physical units, NaN where missing.
        properties: The properties of the columns.
        baseline: Predictions without a model, (P,) or (B, P), physical units: medians, and shares of true labels.
    """
    columns = zip(properties, predictions.T, targets.T, np.broadcast_to(baseline, predictions.shape).T, strict=True)
    return tuple(
        (evaluate_binary if prop.task == "binary" else _evaluate)(prop, predicted, labels, median)
        for prop, predicted, labels, median in columns
    )


def score(metrics: Sequence[PropertyMetrics]) -> float:
    """Return the mean over the properties of MAE / MAE of the median baseline, which decides the best epoch.

    Of a binary property it is the log loss / that of the share of true labels. 1 is as good as the baseline. Properties
    without a label are left out, and those whose labels all equal the median, unless there is no other: then the mean
    error decides.
    """
    if any(m.count and m.error is None for m in metrics):  # predictions that overflowed
        return math.inf
    ratios = [m.ratio for m in metrics if m.ratio is not None]
    errors = [m.error for m in metrics if m.error is not None]
    return float(np.mean(ratios or errors))


def refuse_divergence(values: NDArray[np.floating], *, what: str, epoch: int) -> None:
    """Stop a training whose numbers are no longer finite.

    Raises:
        RequestError: A value is infinite or NaN.
    """
    bad = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    if len(bad):
        raise _diverged(f"{what} {bad[0] + 1}", epoch)


def refuse_overflow(val_score: float, *, epoch: int) -> None:
    """Stop a training whose predictions overflow in physical units.

    Raises:
        RequestError: The validation score is infinite.
    """
    if math.isinf(val_score):
        raise _diverged("the validation error", epoch)


def _diverged(what: str, epoch: int) -> RequestError:
    return RequestError(
        f"Training diverged: {what} of epoch {epoch} is not finite.",
        why="The steps were too long for the loss to go down.",
        fix="Lower --lr, to a third for instance.",
    )


def _evaluate(
    prop: Property, predicted: NDArray[np.float64], labels: NDArray[np.float64], median: NDArray[np.float64]
) -> PropertyMetrics:
    labelled = ~np.isnan(labels)
    reference = labels[labelled]
    if not len(reference):
        return PropertyMetrics.from_errors(prop.key, prop.unit, 0)
    error = predicted[labelled] - reference
    variance = float(np.square(reference - reference.mean()).mean())
    squared = float(np.square(error).mean())
    return PropertyMetrics.from_errors(
        key=prop.key,
        unit=prop.unit,
        count=len(reference),
        mae=float(np.abs(error).mean()),
        rmse=squared**0.5,
        r2=1 - squared / variance if variance > 0 else None,
        baseline_mae=float(np.abs(median[labelled] - reference).mean()),
    )
