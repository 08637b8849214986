"""Buckets: the few sizes that all batches of a data set are padded to."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from phase2.data.padding.shape import BONDS, BatchShape

MULTIPLE = 8
"""Sizes are multiples of this many atoms, bonds and edges."""
_GROUPS = 64  # of batches of similar size, which share a bucket
_GROWTH = 1.25


@dataclass(frozen=True, slots=True)
class ShapeBuckets:
    """Sizes that batches are padded to.

    Attributes:
        shapes: The sizes, from the smallest to the largest.
    """

    shapes: tuple[BatchShape, ...]

    @classmethod
    def fit(cls, batches: NDArray[np.int64], n: int) -> Self:
        """Choose the sizes that pad these batches least.

        Batches are sorted by their bonds and cut into at most ``n`` runs, each padded to the largest of its batches.
        The cuts are those with the least padding, over all ways to cut, where padded atoms, bonds and edges count
        relative to how many there are. A pure function of its arguments.

        Args:
            batches: Sizes of T batches, rows of :class:`BatchShape`, (T, 4) int64.
            n: Most sizes.
        """
        if not len(batches):
            return cls(())
        by_size = batches[np.lexsort((batches[:, 1], batches[:, 3], batches[:, BONDS]))]
        runs = np.array_split(by_size, min(_GROUPS, len(by_size)))
        largest = np.array([_room_for(run.max(axis=0)) for run in runs])
        counts = np.array([len(run) for run in runs])
        mean = np.maximum(batches.mean(axis=0), 1)
        shapes = [
            BatchShape(*(int(size) for size in largest[begin:end].max(axis=0)))
            for begin, end in _best_cuts(largest[:, 1:] / mean[1:], counts, n)
        ]
        return cls(tuple(sorted(set(shapes), key=_order)))

    def choose(self, batch: BatchShape) -> BatchShape:
        """Return the smallest size that a batch can be padded to.

        A batch larger than all of them gets the largest, grown in steps of a quarter.
        """
        for shape in self.shapes:
            if shape.has_room_for(batch):
                return shape
        largest = np.maximum(self.shapes[-1], np.minimum(batch, 1))
        for step in itertools.count(1):
            grown = BatchShape(*_rounded(np.ceil(largest * _GROWTH**step).astype(np.int64)).tolist())
            if grown.has_room_for(batch):
                break
        return grown

    def waste(self, batches: NDArray[np.int64]) -> float:
        """Return the share of bonds, or links, of these batches' padded sizes that are padding, 0 to 1.

        Args:
            batches: Sizes of T batches, (T, 4) int64.
        """
        padded = sum(self.choose(BatchShape(*row)).bonds for row in batches.tolist())
        return 1 - float(batches[:, BONDS].sum()) / padded if padded else 0.0


def _room_for(size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the least size to which batches of up to this size can be padded."""
    return _rounded(size + np.array([1, 1, 1, 0]))


def _rounded(size: NDArray[np.int64]) -> NDArray[np.int64]:
    multiple = np.array([1, MULTIPLE, MULTIPLE, MULTIPLE])
    rounded: NDArray[np.int64] = -(-size // multiple) * multiple
    return rounded


def _best_cuts(largest: NDArray[np.float64], counts: NDArray[np.int64], n: int) -> list[tuple[int, int]]:
    """Cut a sequence into at most ``n`` runs of the least total cost, by dynamic programming."""
    length = len(counts)
    cost = np.full((length + 1, length + 1), np.inf)
    for begin in range(length):
        highest = np.maximum.accumulate(largest[begin:], axis=0).sum(axis=1)
        cost[begin, begin + 1 :] = highest * np.cumsum(counts[begin:])
    best, cuts = cost[0], []
    for _ in range(min(n, length) - 1):
        total = best[:, None] + cost
        cuts.append(np.where(total.min(axis=0) < best, total.argmin(axis=0), -1))
        best = np.minimum(best, total.min(axis=0))
    end, runs = length, []
    for begins in reversed(cuts):
        if begins[end] >= 0:
            runs.append((int(begins[end]), end))
            end = int(begins[end])
    return [(0, end), *reversed(runs)]


def _order(shape: BatchShape) -> tuple[int, ...]:
    return (shape.bonds, shape.edges, shape.atoms, shape.crystals)
