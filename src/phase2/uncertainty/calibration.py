"""Split-conformal calibration: intervals that hold the label of a stated share of crystals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from phase2.data.targets import TargetScaler
from phase2.data.transforms import needs_factor


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Validation crystals whose errors decide how wide intervals are.

    Intervals are made on the scale on which the network learns, normalised and transformed, where errors are even, and
    converted to physical units at the end.

    Attributes:
        scaler: Converts between physical and normalised units; knows the properties.
        predicted: Predictions for the validation crystals, (V, P) float32, normalised.
        labels: Their labels, (V, P) float32, normalised, NaN where missing.
        difficulty: Their difficulty, (V, P) float32.
        factors: What their learned values are multiplied by, (V, P) float32; None for 1. Files of earlier versions do
            not have them.
    """

    scaler: TargetScaler
    predicted: NDArray[np.float32]
    labels: NDArray[np.float32]
    difficulty: NDArray[np.float32]
    factors: NDArray[np.float32] | None = None

    @property
    def lacks_factors(self) -> bool:
        """Whether values of the validation crystals are known per atom alone."""
        return self.factors is None and any(map(needs_factor, self.scaler.properties))

    def decode(self, normalised: NDArray[np.floating]) -> NDArray[np.float64]:
        """Convert normalised values of the validation crystals, (V, P), to physical units; per atom without factors."""
        return self.scaler.decode(normalised, self._known_factors())

    def encode(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Invert :meth:`decode`."""
        return self.scaler.encode(values, self._known_factors())

    def _known_factors(self) -> NDArray[np.float64] | None:
        if self.lacks_factors:
            return np.ones(self.labels.shape)
        return None if self.factors is None else self.factors.astype(np.float64)

    def select(self, columns: Sequence[int]) -> Self:
        """Return the calibration of some of the properties, in this order."""
        index = list(columns)
        return type(self)(
            self.scaler.select(index),
            self.predicted[:, index],
            self.labels[:, index],
            self.difficulty[:, index],
            None if self.factors is None else self.factors[:, index],
        )

    def count(self, column: int) -> int:
        """Return the number of validation labels of a property."""
        return int((~np.isnan(self.labels[:, column])).sum())

    def is_possible(self, column: int, level: float) -> bool:
        """Tell whether a property has enough validation labels for an interval of this level.

        A binary property has none: its prediction is a probability, and its labels are the ends of every interval.
        """
        if self.scaler.properties[column].task == "binary":
            return False
        return self.count(column) >= labels_needed(level)

    def intervals(
        self,
        predictions: NDArray[np.float64],
        difficulty: NDArray[np.float64],
        level: float,
        factors: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Make the intervals of predictions.

        Normalised split-conformal regression (Papadopoulos et al., ECML 2002; Johansson et al., Mach. Learn. 97, 155,
        2014): the prediction plus and minus its difficulty times the quantile of |error| / difficulty on the
        validation crystals.

        Args:
            predictions: Shape (B, P), float64, physical units.
            difficulty: Shape (B, P), float64.
            level: Share of crystals whose label is to be inside, between 0 and 1.
            factors: What learned values are multiplied by, (B, P) float64; None for 1.

        Returns:
            Low and high ends, (B, P, 2) float64, physical units; NaN for a property with too few validation labels.
        """
        from crepes import ConformalRegressor

        centers = self.scaler.encode(predictions, factors).astype(np.float64)
        bounds = np.full((2, *centers.shape), np.nan)
        for k in range(centers.shape[1]):
            if self.is_possible(k, level):
                present = ~np.isnan(self.labels[:, k])
                errors = self.labels[present, k].astype(np.float64) - self.predicted[present, k]
                regressor = ConformalRegressor().fit(errors, sigmas=self.difficulty[present, k].astype(np.float64))
                bounds[:, :, k] = regressor.predict_int(centers[:, k], sigmas=difficulty[:, k], confidence=level).T
        # Rounding to float32 moves a center; the ends of an interval always have the prediction between them.
        low, high = (self.scaler.decode(ends, factors) for ends in bounds)
        low = np.minimum(low, predictions)
        return np.stack([low, np.maximum(high, predictions)], axis=2)


def labels_needed(level: float) -> int:
    """Return the least number of validation labels for intervals of a level: 9 of 10 need about 10 labels.

    >>> labels_needed(0.5), labels_needed(0.95)
    (1, 19)
    """
    count = max(1, int(1 / (1 - level)) - 2)
    while int((1 - level) * (count + 1)) < 1:  # the rank that crepes computes, with its rounding
        count += 1
    return count
