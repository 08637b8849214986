"""Transform and normalisation between labels in physical units and the targets of a network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.data.transforms import from_learned, needs_factor, to_learned, within_bounds
from phase2.errors import DataError, ModelFileError
from phase2.properties import Property

# A training label is masked when it is this many robust sigmas from the median: a failed calculation (the Materials
# Project has a dielectric constant of 3,290,000), not a rare material. Sigma is the width of the middle 99 %, so that a
# heavy tail (piezoelectric, energy above hull) widens the bounds instead of being cut off. Below 200 labels a single
# wrong one is half a per cent itself and cannot be distinguished from a tail: nothing is masked.
OUTLIER_SIGMAS = 15.0
OUTLIER_QUANTILES = (0.005, 0.995)
OUTLIER_WIDTH = 5.1517  # between those quantiles of a normal distribution, in sigmas
MIN_LABELS = 200

_FIELDS = ("mean", "std", "lower", "upper", "median")


@dataclass(frozen=True, slots=True, eq=False)
class TargetScaler:
    """Transform and normaliser of P properties, fitted to the training labels only.

    Values per cell or per volume are learned per atom, and some others times the volume per atom. For these, every
    method needs the ``factors`` of the crystals, (B, P) float64, of :func:`phase2.data.transforms.learned_factors`.
    Labels of a binary property stay 0 and 1, and what the network predicts for it is a logit, whose probability is the
    prediction.

    Attributes:
        properties: The P properties.
        mean: Mean of the transformed labels, (P,) float64.
        std: Standard deviation of the transformed labels, (P,) float64; 1 where all labels are equal.
        lower: Smallest transformed label to train on, (P,) float64; -inf where there is no bound.
        upper: Largest transformed label to train on, (P,) float64; inf where there is no bound.
        median: Median of the training labels, (P,) float64, in the properties' units, or per atom of those that are
            counted per cell or per volume; for a binary property the share of those that are true.
    """

    properties: tuple[Property, ...]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    median: NDArray[np.float64]

    @classmethod
    def fit(
        cls, values: NDArray[np.float64], properties: Sequence[Property], factors: NDArray[np.float64] | None = None
    ) -> TargetScaler:
        """Fit to the labels of the training crystals.

        Args:
            values: Labels, shape (B, P), float64, in the properties' units, NaN where missing.
            properties: The properties of the columns.
            factors: What their learned values are multiplied by.

        Raises:
            DataError: A property has no label.
        """
        values = np.asarray(values, dtype=np.float64)
        assert values.shape[1:] == (len(properties),)  # noqa: S101
        _refuse_unlabelled(values, properties)
        divided = _divided(values, properties, factors)
        columns = [_fit_column(to_learned(divided[:, k], p), p) for k, p in enumerate(properties)]
        mean, std, lower, upper = np.array(columns).T
        median = np.nanmedian(np.where([p.times_volume for p in properties], values, divided), axis=0)
        binary = [p.task == "binary" for p in properties]
        if any(binary):
            median = np.where(binary, np.nanmean(values, axis=0), median)
        return cls(tuple(properties), mean, std, lower, upper, median)

    def encode(self, values: NDArray[np.float64], factors: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
        """Normalise labels: (B, P) float64 in the properties' units to (B, P) float32; NaN stays NaN."""
        transformed = self._learned(values, factors)
        return ((transformed - self.mean) / self.std).astype(np.float32)

    def decode(
        self, normalised: NDArray[np.floating], factors: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Convert predictions (B, P) to the properties' units, float64; those beyond a bound become the bound."""
        transformed: NDArray[np.float64] = np.asarray(normalised, dtype=np.float64) * self.std + self.mean
        values = np.stack([from_learned(transformed[:, k], p) for k, p in enumerate(self.properties)], axis=1)
        values = _multiplied(values, self.properties, factors)
        return np.stack([within_bounds(values[:, k], p) for k, p in enumerate(self.properties)], axis=1)

    def training_mask(
        self, values: NDArray[np.float64], factors: NDArray[np.float64] | None = None
    ) -> NDArray[np.bool_]:
        """Select the labels to train on, (B, P) bool: those that are present and no outlier.

        For the training part only: validation and test are never filtered.
        """
        transformed = self._learned(values, factors)
        return (transformed >= self.lower) & (transformed <= self.upper)

    def baseline(self, factors: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Predict without a model, in the properties' units: the median of the training labels, (P,) float64.

        With the factors of crystals, that of each, (B, P) float64; without, values per cell or volume are per atom.
        """
        if factors is None:
            return self.median.copy()
        return self.median * np.where([p.times_volume for p in self.properties], 1.0, factors)

    def select(self, columns: Sequence[int]) -> TargetScaler:
        """Return the scaler of some of the properties, in this order."""
        index = list(columns)
        return TargetScaler(tuple(self.properties[k] for k in index), *(getattr(self, name)[index] for name in _FIELDS))

    def to_dict(self) -> dict[str, list[float]]:
        """Return the fitted numbers as plain lists, for the model file."""
        return {name: getattr(self, name).tolist() for name in _FIELDS}

    @classmethod
    def from_dict(cls, content: Mapping[str, object], properties: Sequence[Property]) -> TargetScaler:
        """Restore a scaler from the numbers of :meth:`to_dict`.

        Raises:
            ModelFileError: Numbers are missing, too few, not finite, or a standard deviation is not positive.
        """
        mean, std, lower, upper, median = (_numbers(content, name, len(properties)) for name in _FIELDS)
        finite = np.isfinite([mean, std, median]).all()
        if not (finite and (std > 0).all() and (lower <= upper).all()):
            raise _damaged("holds numbers that are not finite or no scale")
        return cls(tuple(properties), mean, std, lower, upper, median)

    def _learned(self, values: NDArray[np.float64], factors: NDArray[np.float64] | None) -> NDArray[np.float64]:
        values = _divided(values, self.properties, factors)
        return np.stack([to_learned(values[:, k], p) for k, p in enumerate(self.properties)], axis=1)


def _divided(
    values: NDArray[np.float64], properties: Sequence[Property], factors: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    _require_factors(properties, factors)
    return values if factors is None else values / factors


def _multiplied(
    values: NDArray[np.float64], properties: Sequence[Property], factors: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    _require_factors(properties, factors)
    return values if factors is None else values * factors


def _require_factors(properties: Sequence[Property], factors: NDArray[np.float64] | None) -> None:
    """Fail where a value per cell would be taken for one per atom."""
    assert factors is not None or not any(map(needs_factor, properties)), "factors are missing"  # noqa: S101


def _fit_column(transformed: NDArray[np.float64], prop: Property) -> tuple[float, float, float, float]:
    """Return mean, standard deviation, lower and upper bound of one property's labels."""
    if prop.task == "binary":
        return 0.0, 1.0, -math.inf, math.inf
    labels = transformed[~np.isnan(transformed)]
    lower, upper = _bounds(labels)
    kept = labels[(labels >= lower) & (labels <= upper)]
    spread = float(kept.std())
    # Equal labels differ by rounding only; that is no scale to normalise by. Small labels may differ all the same.
    equal = spread <= 1e-12 * float(np.abs(kept).max())
    return float(kept.mean()), 1.0 if equal else spread, lower, upper


def _bounds(labels: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(labels, OUTLIER_QUANTILES)
    sigma = (high - low) / OUTLIER_WIDTH
    if len(labels) < MIN_LABELS or sigma == 0:
        return -math.inf, math.inf
    middle = float(np.median(labels))
    return middle - OUTLIER_SIGMAS * sigma, middle + OUTLIER_SIGMAS * sigma


def _refuse_unlabelled(values: NDArray[np.float64], properties: Sequence[Property]) -> None:
    counts = (~np.isnan(values)).sum(axis=0).tolist()
    missing = [p.key for p, n in zip(properties, counts, strict=True) if not n]
    if not missing:
        return
    having = [p.key for p, n in zip(properties, counts, strict=True) if n]
    raise DataError(
        f"No training crystal has a label for {', '.join(missing)}.",
        why=f"Of the requested properties, those with labels are: {', '.join(having) or 'none'}.",
        fix="Request properties that the data set has, with --properties.",
    )


def _numbers(content: Mapping[str, object], name: str, n: int) -> NDArray[np.float64]:
    values = content.get(name)
    if not isinstance(values, list) or len(values) != n or not all(isinstance(v, float) for v in values):
        raise _damaged(f"has no list of {n} numbers called '{name}'")
    return np.array(values, dtype=np.float64)


def _damaged(why: str) -> ModelFileError:
    return ModelFileError(
        "The normaliser in the model file cannot be used.", why=f"It {why}.", fix="Use another copy of the file."
    )
