"""Log loss of predicted probabilities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEAREST = float(np.finfo(np.float64).eps)
"""Distance from 0 and 1 at which a probability is held, whose log loss would be infinite; as in scikit-learn."""


def log_losses(labels: NDArray[np.float64], predicted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the negative logarithm of the probability of what is true, (B,); NaN where a label is missing."""
    held = np.clip(predicted, _NEAREST, 1 - _NEAREST)
    losses: NDArray[np.float64] = -(labels * np.log(held) + (1 - labels) * np.log1p(-held))
    return losses
