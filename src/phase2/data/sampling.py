"""Batch sampling: which crystals share a batch, and in which order."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Batches balanced against each other at a time: more of them balance better, fewer are more random.
WINDOW = 16


class BalancedBatchSampler:
    """Sampler of random batches of about equal computational cost.

    Each epoch is drawn from (seed, epoch) only, so that a resumed run continues with the same batches.
    Crystals are shuffled, cut into windows of ``WINDOW`` batches, and dealt to the batches of a window by size in
    alternating direction, so that every batch holds small and large crystals alike.

    Args:
        sizes: Cost of each crystal, shape (B,): its number of atoms, bonds or links.
        batch_size: Crystals per batch. The last batch is smaller if the division leaves a remainder; a remainder of one
            crystal joins the batch before it, because batch norm cannot learn from one crystal.
        seed: Seed of all epochs.
    """

    def __init__(self, sizes: ArrayLike, batch_size: int, seed: int) -> None:
        self.sizes = np.asarray(sizes)
        self.batch_size = batch_size
        self.seed = seed

    def __len__(self) -> int:
        full, rest = divmod(len(self.sizes), self.batch_size)
        return full + (rest > 1 or (rest == 1 and not full))

    def epoch(self, k: int) -> list[NDArray[np.int64]]:
        """Return the batches of epoch ``k``: int64 arrays that hold every index of ``sizes`` exactly once."""
        rng = np.random.default_rng([self.seed, k])
        order = rng.permutation(len(self.sizes))
        full = len(order) // self.batch_size * self.batch_size
        window = WINDOW * self.batch_size
        batches = [
            batch for start in range(0, full, window) for batch in self._deal(order[start : min(start + window, full)])
        ]
        shuffled = [batches[i] for i in rng.permutation(len(batches))]
        return _append(shuffled, order[full:])

    def _deal(self, crystals: NDArray[np.int64]) -> NDArray[np.int64]:
        # A row is a round of dealing, a column is a batch.
        by_size = crystals[np.argsort(-self.sizes[crystals], kind="stable")]
        rounds = by_size.reshape(self.batch_size, -1).copy()
        rounds[1::2] = rounds[1::2, ::-1]
        return rounds.T


def balanced_shares(sizes: ArrayLike, processes: int) -> list[NDArray[np.int64]]:
    """Divide the crystals of a batch among processes, so that each has about the same computational cost.

    The largest crystal that is left goes to the process that has least (Graham, SIAM J. Appl. Math. 17, 416, 1969).

    Args:
        sizes: Cost of each crystal of the batch, shape (B,).
        processes: Number of processes.

    Returns:
        Positions in the batch, ascending, for each process; together each exactly once. A process has none where there
        are fewer crystals than processes.
    """
    work = np.asarray(sizes)
    loads, dealt = np.zeros(processes), np.zeros(processes, np.int64)
    owner = np.empty(len(work), np.int64)
    for position in np.argsort(-work, kind="stable"):
        # Among equals the one with fewest crystals, so that crystals without any link are divided as well.
        owner[position] = np.lexsort((dealt, loads))[0]
        loads[owner[position]] += work[position]
        dealt[owner[position]] += 1
    return [np.flatnonzero(owner == process) for process in range(processes)]


def _append(batches: list[NDArray[np.int64]], rest: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    if len(rest) == 1 and batches:
        return [*batches[:-1], np.append(batches[-1], rest)]
    return [*batches, rest] if len(rest) else batches
