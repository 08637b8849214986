"""How closely atoms are packed in training crystals, so that a crystal that no nature packs so is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

QUANTILE = 0.001
"""Share of the training crystals beyond each end of the range, which may hold a wrong structure."""

_ROUNDING = 1e-5
_THERE = "than in the training set"
_DISTANCE = "of the sum of their radii"
_FILLED = "of the volume in spheres"


@dataclass(frozen=True, slots=True, eq=False)
class PackingRange:
    """Range of :func:`phase2.data.graphs.geometry.packing` in the training crystals.

    A network is asked about whatever crystal it is given, and its features may not tell a squeezed one from others.

    Attributes:
        low: Smallest shortest distance and filled share, (2,) float32.
        high: Largest ones, (2,) float32.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @classmethod
    def fit(cls, measured: NDArray[np.float64]) -> Self:
        """Fit to the packing of training crystals, (B, 2) float64."""
        low = np.quantile(measured, QUANTILE, axis=0, method="lower")
        high = np.quantile(measured, 1 - QUANTILE, axis=0, method="higher")
        return cls(low.astype(np.float32), high.astype(np.float32))

    def remarks(self, measured: NDArray[np.float64]) -> list[str]:
        """Say of crystals how they are packed otherwise than those of the training set.

        Args:
            measured: Packing of the crystals, (B, 2) float64.

        Returns:
            A text for each, "" for one within the range.
        """
        return ["; ".join(self._remarks(*one)) for one in measured.tolist()]

    def _remarks(self, closest: float, filled: float) -> Iterator[str]:
        low, high = (self.low * (1 - _ROUNDING)).tolist(), (self.high * (1 + _ROUNDING)).tolist()
        if closest < low[0]:
            yield f"atoms closer {_THERE}: {closest:.3g} {_DISTANCE}, {low[0]:.3g} or more there"
        elif filled > high[1]:
            yield f"atoms packed more closely {_THERE}: {filled:.3g} {_FILLED}, {high[1]:.3g} at most there"
        if closest > high[0]:
            yield f"atoms farther apart {_THERE}: {closest:.3g} {_DISTANCE}, {high[0]:.3g} at most there"
        elif filled < low[1]:
            yield f"emptier {_THERE}: {filled:.3g} {_FILLED}, {low[1]:.3g} or more there"
