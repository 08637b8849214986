"""Which crystals are predicted together."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

MOST_ATOMS = 20_000
"""Atoms that are predicted together; 64 crystals of 300 atoms have fewer."""


def consecutive_batches(atoms: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Divide crystals, in their order, into as few batches as keep to ``size`` and, but for one, to ``MOST_ATOMS``.

    A batch of large cells would need the memory of as many small crystals as they have atoms.

    Args:
        atoms: Atoms of each crystal, (B,) int64.
        size: Most crystals per batch.

    Returns:
        Positions of the crystals of each batch.
    """
    batches, start = [], 0
    while start < len(atoms):
        inside = int((np.cumsum(atoms[start : start + size]) <= MOST_ATOMS).sum())
        stop = start + max(1, inside)
        batches.append(np.arange(start, stop))
        start = stop
    return batches


def alike_batches(work: NDArray[np.int64], atoms: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Deal crystals to batches of about equal cost, so that one size has room for all of them with little padding.

    The largest crystal that is left goes to the batch that has least, and room (Graham, SIAM J. Appl. Math. 17, 416,
    1969).

    Args:
        work: Cost of each crystal, (B,) int64: its bonds or links.
        atoms: Its atoms, (B,) int64.
        size: Most crystals per batch.

    Returns:
        Positions of the crystals of each batch, ascending; together each exactly once.
    """
    batches: list[list[int]] = [[] for _ in range(-(-len(work) // size))]
    least = [(0, k) for k in range(len(batches))]
    for crystal in np.argsort(-work, kind="stable").tolist():
        load, k = heapq.heappop(least)
        batches[k].append(crystal)
        if len(batches[k]) < size:
            heapq.heappush(least, (load + int(work[crystal]), k))
    dealt = [np.array(sorted(batch), np.int64) for batch in batches]
    return [part[rows] for part in dealt for rows in consecutive_batches(atoms[part], size)]
