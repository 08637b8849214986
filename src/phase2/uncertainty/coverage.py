"""Coverage of intervals: how many labels are inside, and whether wide ones are where errors are large."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phase2.runs.records.intervals import CURVE, LevelCoverage, PropertyIntervals
from phase2.uncertainty.calibration import Calibration

TENTHS = 10


def measure_coverage(
    calibration: Calibration,
    predictions: NDArray[np.float64],
    difficulty: NDArray[np.float64],
    novelty: NDArray[np.float64],
    targets: NDArray[np.float64],
    factors: NDArray[np.float64] | None = None,
) -> tuple[PropertyIntervals, ...]:
    """Compare intervals with labels that took no part in their calibration.

    Args:
        calibration: The calibrated model.
        predictions: Shape (B, P), float64, physical units.
        difficulty: Shape (B, P), float64.
        novelty: Shape (B,), float64; above 1 is flagged.
        targets: Labels, (B, P) float64, physical units, NaN where missing.
        factors: What learned values are multiplied by, (B, P) float64; None for 1.
    """
    curve = {level: calibration.intervals(predictions, difficulty, level, factors) for level in CURVE}
    return tuple(
        _measure(
            calibration, k, {level: bounds[:, k] for level, bounds in curve.items()}, predictions[:, k], novelty, y
        )
        for k, y in enumerate(targets.T)
    )


def _measure(
    calibration: Calibration,
    column: int,
    curve: dict[float, NDArray[np.float64]],
    predictions: NDArray[np.float64],
    novelty: NDArray[np.float64],
    targets: NDArray[np.float64],
) -> PropertyIntervals:
    prop, labelled = calibration.scaler.properties[column], ~np.isnan(targets)
    labels, errors = targets[labelled], np.abs(predictions - targets)[labelled]
    measured = {
        level: bounds[labelled]
        for level, bounds in curve.items()
        if len(labels) and calibration.is_possible(column, level)
    }
    widest = list(measured.values())[-1:]
    tenths = _error_by_tenth(widest[0], errors) if widest and len(labels) >= TENTHS else ()
    return PropertyIntervals(
        key=prop.key,
        unit=prop.unit,
        val_labels=calibration.count(column),
        test_labels=len(labels),
        levels=tuple(_coverage(level, bounds, labels) for level, bounds in measured.items()),
        narrow_mae=tenths[0] if tenths else None,
        wide_mae=tenths[-1] if tenths else None,
        error_by_tenth=tenths,
        novel=float((novelty[labelled] > 1).mean()) if len(labels) else None,
    )


def _coverage(level: float, bounds: NDArray[np.float64], labels: NDArray[np.float64]) -> LevelCoverage:
    low, high = bounds.T
    inside = float(((labels >= low) & (labels <= high)).mean())
    return LevelCoverage(level=level, coverage=inside, mean_width=float((high - low).mean()))


def _error_by_tenth(bounds: NDArray[np.float64], errors: NDArray[np.float64]) -> tuple[float, ...]:
    """Return the mean error of each tenth of crystals by the width of their intervals."""
    order = np.argsort(bounds[:, 1] - bounds[:, 0], kind="stable")
    return tuple(float(errors[tenth].mean()) for tenth in np.array_split(order, TENTHS))
