"""Errors of predicted probabilities of binary properties, with bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.evaluation.bootstrap import LEVEL, RESAMPLES, SEED, Estimate, bootstrap
from phase2.runs.records.results import THRESHOLD
from phase2.uncertainty.log_loss import log_losses


@dataclass(frozen=True, slots=True)
class BinaryErrors:
    """Errors of probabilities over some labels.

    Attributes:
        count: Labels compared.
        log_loss: Mean negative logarithm of the probability of what is true; lower is better.
        roc_auc: Area under the receiver operating characteristic; None where all labels are alike. Higher is better, as
            of the other two.
        accuracy: Share of crystals on the right side of a probability of 0.5.
        f1: Harmonic mean of precision and recall of the true ones; None where no label is true.
    """

    count: int
    log_loss: Estimate
    roc_auc: Estimate
    accuracy: Estimate
    f1: Estimate


def measure_probabilities(
    reference: NDArray[np.float64],
    predicted: NDArray[np.float64],
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = SEED,
) -> BinaryErrors:
    """Measure the errors of probabilities, with intervals as of :func:`phase2.evaluation.bootstrap.measure_errors`.

    A sample of labels that are all alike has no area under the curve, one without a true label no F1: the interval is
    of the others.

    Args:
        reference: Labels, 1 and 0, (n,) float64; rows where a label or a prediction is not finite are left out.
        predicted: Probabilities, (n,) float64.
        resamples: Samples drawn; 0 for no intervals.
        level: Share of the samples between the ends.
        seed: Seed of the draws.

    Example:
        >>> found = measure_probabilities(np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.6, 0.7]), resamples=0)
        >>> found.count, found.roc_auc.value, round(found.accuracy.value, 3), round(found.f1.value, 3)
        (3, 1.0, 0.667, 0.8)
    """
    present = np.isfinite(reference) & np.isfinite(predicted)
    truth, chance = reference[present], predicted[present]
    if not len(truth):
        return BinaryErrors(0, *(Estimate(None) for _ in range(4)))
    measures = _Measures(truth, chance)
    return BinaryErrors(len(truth), *bootstrap(measures, len(truth), resamples=resamples, level=level, seed=seed))


class _Measures:
    """Log loss, area under the curve, accuracy and F1 of samples of n crystals."""

    def __init__(self, truth: NDArray[np.float64], chance: NDArray[np.float64]) -> None:
        self._truth = truth
        loss = log_losses(truth, chance)
        chosen = (chance >= THRESHOLD).astype(np.float64)
        self._terms = np.stack([loss, truth == chosen, truth * chosen, truth + chosen], axis=1)
        self._order = np.argsort(chance, kind="stable")
        self._equal = np.flatnonzero(np.diff(chance[self._order], prepend=-1.0))  # first of each run of equal ones

    def __call__(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the measures, (rows, 4), of samples that hold each crystal as often as ``counts``, (rows, n), say."""
        n = counts.shape[1]
        loss, right, both, either = (counts @ self._terms).T
        true, false = counts @ self._truth, counts @ (1 - self._truth)
        with np.errstate(divide="ignore", invalid="ignore"):
            area = self._pairs_in_order(counts) / (true * false)
            f1 = np.where(true > 0, 2 * both / either, np.nan)
        return np.stack([loss / n, area, right / n, f1], axis=1)

    def _pairs_in_order(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Count the pairs of a true and a false crystal of which the true one has the higher probability, ties half.

        Divided by the number of pairs, it is the area under the curve (Hanley & McNeil, Radiology 143, 29, 1982).
        """
        ordered, truth = counts[:, self._order], self._truth[self._order]
        true = np.add.reduceat(ordered * truth, self._equal, axis=1)
        false = np.add.reduceat(ordered * (1 - truth), self._equal, axis=1)
        below = np.cumsum(false, axis=1) - false
        pairs: NDArray[np.float64] = (true * (below + false / 2)).sum(axis=1)
        return pairs
