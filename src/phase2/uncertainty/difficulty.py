"""Difficulty of crystals: how large an error to expect of a prediction, up to a factor that calibration finds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.uncertainty.references import References

# Neither an identical training crystal nor equal labels or models make a prediction exact.
LEAST_DISTANCE = 0.05
LEAST_SPREAD = 0.1


def difficulty(references: References, features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Estimate the difficulty of each property of crystals.

    distance * sqrt(spread + 0.1): the mean distance to the five nearest training crystals with a label of the
    property, and the standard deviation of those labels. A crystal is hard where few labels are near, and where they
    differ. Training errors would be no guide: a network that fits its training crystals well errs little on all.

    Args:
        references: The training crystals.
        features: Features of B crystals, (B, C) float32.

    Returns:
        Difficulty, (B, P) float64, positive.
    """
    columns = [references.neighbors(features, k) for k in range(references.labels.shape[1])]
    return np.stack([_combine(near.distance, near.spread) for near in columns], axis=1)


def ensemble_difficulty(
    members: Sequence[NDArray[np.float64]], predictions: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Estimate the difficulty for an ensemble: the geometric mean of its members', and how far they disagree.

    Args:
        members: Difficulty for each member, (B, P).
        predictions: Normalised predictions of each member, (B, P).
    """
    mean = np.exp(np.mean([np.log(one) for one in members], axis=0))
    disagreement = np.std(np.stack(predictions), axis=0, ddof=1)
    combined: NDArray[np.float64] = mean * np.sqrt(disagreement + LEAST_SPREAD)
    return combined


def _combine(distance: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    combined: NDArray[np.float64] = (distance + LEAST_DISTANCE) * np.sqrt(spread + LEAST_SPREAD)
    return combined
