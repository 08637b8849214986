"""Errors of predictions with bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
LEVEL = 0.95
SEED = 0
METHOD = "percentile bootstrap over crystals"
"""Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 13."""

_COUNTS = 4_000_000
"""Numbers of draws that are counted at once: 32 MB."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval; None where there is none.

    Attributes:
        value: The number.
        low: Lower end of the interval.
        high: Upper end.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors over some labels, in the property's unit.

    Attributes:
        count: Labels compared.
        mae: Mean absolute error.
        rmse: Root of the mean squared error.
        r2: Share of the labels' variance that is explained; None where they are all equal.
    """

    count: int
    mae: Estimate
    rmse: Estimate
    r2: Estimate


def measure_errors(
    reference: NDArray[np.float64],
    predicted: NDArray[np.float64],
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = SEED,
) -> Errors:
    """Measure the errors of predictions, with intervals by the percentile bootstrap.

    Crystals are drawn with replacement, as many as there are, ``resamples`` times; the interval holds the middle
    ``level`` of what each sample gives. Equal labels, predictions and seed give equal intervals. It covers the choice
    of the crystals, not the seed of the training; of less than about 20 labels it is too narrow.

    Args:
        reference: Labels, (n,) float64; rows where a label or a prediction is not finite are left out.
        predicted: Predictions, (n,) float64.
        resamples: Samples drawn; 0 for no intervals.
        level: Share of the samples between the ends.
        seed: Seed of the draws.

    Example:
        >>> found = measure_errors(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.5, 4.0]), resamples=0)
        >>> found.count, round(found.mae.value, 3), found.mae.low
        (3, 0.167, None)
    """
    present = np.isfinite(reference) & np.isfinite(predicted)
    labels, errors = reference[present], (predicted - reference)[present]
    n = len(labels)
    if not n:
        return Errors(0, Estimate(None), Estimate(None), Estimate(None))
    centred = labels - labels.mean()  # variances of numbers far from zero would lose their digits
    terms = np.stack([np.abs(errors), errors**2, centred, centred**2], axis=1)
    found = bootstrap(lambda counts: _measures(counts @ terms, n), n, resamples=resamples, level=level, seed=seed)
    return Errors(n, *found)


def bootstrap(
    measures: Callable[[NDArray[np.float64]], NDArray[np.float64]], n: int, *, resamples: int, level: float, seed: int
) -> list[Estimate]:
    """Estimate M measures of n crystals, with intervals where there are two crystals or more.

    Args:
        measures: Function from how often each crystal is drawn in each sample, (rows, n), to measures, (rows, M), NaN
            where a sample has none.
        n: Crystals, at least one.
        resamples: Samples drawn; 0 for no intervals.
        level: Share of the samples between the ends.
        seed: Seed of the draws.
    """
    whole = measures(np.ones((1, n)))[0]
    if n < 2 or not resamples:
        return [Estimate(_finite(value)) for value in whole]
    samples = np.concatenate([measures(counts) for counts in _draws(n, resamples, seed)])
    ends = [_ends(column, level) for column in samples.T]
    return [Estimate(_finite(value), *pair) for value, pair in zip(whole, ends, strict=True)]


def _draws(n: int, resamples: int, seed: int) -> list[NDArray[np.float64]]:
    """Return how often each of n crystals is drawn in each sample, in blocks of shape (rows, n)."""
    draw = np.random.default_rng(seed)
    rows = max(1, _COUNTS // n)
    sizes = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    return [_counts(draw, n, size) for size in sizes]


def _counts(draw: np.random.Generator, n: int, rows: int) -> NDArray[np.float64]:
    chosen = draw.integers(n, size=(rows, n)) + n * np.arange(rows)[:, None]
    return np.bincount(chosen.ravel(), minlength=rows * n).reshape(rows, n).astype(np.float64)


def _measures(sums: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return MAE, RMSE and R2, (rows, 3), from sums of |e|, e^2, y and y^2, (rows, 4)."""
    absolute, squared, first, second = (sums / n).T
    variance = second - first**2
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where(variance > 1e-12 * np.maximum(second, 1e-300), 1 - squared / variance, np.nan)
    return np.stack([absolute, np.sqrt(squared), r2], axis=1)


def _ends(values: NDArray[np.float64], level: float) -> tuple[float | None, float | None]:
    known = values[np.isfinite(values)]
    if not len(known):
        return None, None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2]).tolist()
    return low, high


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
