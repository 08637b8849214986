"""Edges of crystal graphs: whole shells of nearest neighbours, for many crystals at once.

Lengths are compared as whole multiples of ``QUANTUM``, so that the result for a crystal is bitwise the same whichever
crystals it is computed with, and sums of lengths do not depend on the order of the atoms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.data.graphs.neighbors import SAME_LENGTH, Neighbors

QUANTUM = 1e-7  # angstrom, about the precision of a float32 length
WIDEST = 2e-3  # angstrom between the shortest and the longest length of a shell
_SAME = round(SAME_LENGTH / QUANTUM)
_LENGTH_BITS = 30  # 107 angstrom


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Edges of many crystals, E in all, sorted by receiver, shell, sender and shift.

    Attributes:
        receiver: Atom that receives the messages of each edge, counted over all crystals, shape (E,), int64.
        sender: Atom that sends them, counted over all crystals, shape (E,), int64.
        shift: Lattice translation of the sender's image, shape (E, 3), int8.
        shell: Rank of the edge's length among the distinct lengths of the crystal, from 0, shape (E,), int64.
        length: Mean length of the crystal's edges in the shell, shape (E,), float64, angstrom.
    """

    receiver: NDArray[np.int64]
    sender: NDArray[np.int64]
    shift: NDArray[np.int8]
    shell: NDArray[np.int64]
    length: NDArray[np.float64]


def nearest_shells(found: Sequence[Neighbors], max_neighbors: int) -> Edges:
    """Keep the nearest neighbours of each atom, and all further ones as near as the last of them.

    Ties (lengths equal within ``SAME_LENGTH``) are kept whole, so that the graph depends neither on the order of the
    atoms nor on the choice of the cell.

    Args:
        found: Neighbours of each crystal.
        max_neighbors: Neighbours to keep per atom, before ties.
    """
    sizes = np.array([len(f.positions) for f in found])
    first = np.cumsum(sizes) - sizes
    pairs = np.array([len(f.receiver) for f in found])
    offset = np.repeat(first, pairs)
    receiver = np.concatenate([f.receiver for f in found]) + offset
    length = np.rint(np.concatenate([f.distance for f in found]) * (1 / QUANTUM)).astype(np.int64)
    kept = _nearest(receiver, length, int(sizes.sum()), max_neighbors)
    receiver, length = receiver[kept], length[kept]
    sender = np.concatenate([f.sender for f in found])[kept] + offset[kept]
    shift = np.concatenate([f.shift for f in found], dtype=np.int8, casting="unsafe")[kept]
    shell, mean = _shells(np.repeat(np.arange(len(found)), sizes)[receiver], length)
    cells = shift.astype(np.int64) + 128
    order = lexicographic_order(receiver, shell, sender, cells[:, 0], cells[:, 1], cells[:, 2])
    return Edges(receiver[order], sender[order], shift[order], shell[order], mean[order])


def lexicographic_order(*columns: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the order that sorts rows by the first column, then the second, and so on; no entry may be negative.

    >>> lexicographic_order(np.array([1, 0, 1]), np.array([2, 5, 0])).tolist()
    [1, 2, 0]
    """
    if not len(columns[0]):
        return np.empty(0, dtype=np.intp)
    low = [int(c.min()) for c in columns]
    bits = [(int(c.max()) - least).bit_length() for c, least in zip(columns, low, strict=True)]
    if sum(bits) > 63:
        return np.lexsort(columns[::-1])
    key = np.zeros(len(columns[0]), dtype=np.int64)  # one number per row sorts several times faster
    for column, least, width in zip(columns, low, bits, strict=True):
        key <<= width
        key |= column - least
    return np.argsort(key)


def _nearest(
    receiver: NDArray[np.int64], length: NDArray[np.int64], n_atoms: int, max_neighbors: int
) -> NDArray[np.intp]:
    """Select the pairs to keep; the shortest pair of every atom, the atom with itself, is dropped."""
    key = (receiver << _LENGTH_BITS) | length
    count = np.bincount(receiver, minlength=n_atoms)
    last = np.cumsum(count) - count + np.minimum(max_neighbors, count - 1)
    limit = np.sort(key)[last] + _SAME
    return np.flatnonzero((key <= limit[receiver]) & (length > 0))


def _shells(crystal: NDArray[np.int64], length: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Rank the distinct lengths of each crystal; also return the mean length of each edge's shell."""
    order = lexicographic_order(crystal, length)
    crystal, length = crystal[order], length[order]
    begins = _shell_beginnings(crystal, length)
    starts = np.flatnonzero(begins)
    number = np.cumsum(begins) - 1
    mean = np.add.reduceat(length, starts) / np.diff(starts, append=len(length)) * QUANTUM
    first = np.flatnonzero(np.diff(crystal, prepend=-1))
    shell, lengths = np.empty_like(number), np.empty(len(number))
    shell[order] = number - np.repeat(number[first], np.diff(first, append=len(number)))
    lengths[order] = mean[number]
    return shell, lengths


def _shell_beginnings(crystal: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark where a new shell starts among sorted lengths: at gaps above ``SAME_LENGTH``.

    In large crystals of low symmetry such gaps are rare, and chains of lengths would join different ones. A shell wider
    than ``WIDEST`` is therefore split at smaller gaps.
    """
    gap = np.diff(length, prepend=length[:1])
    begins: NDArray[np.bool_] = np.diff(crystal, prepend=-1) != 0
    for least in (_SAME, _SAME // 10, _SAME // 100, _SAME // 1000):
        starts = np.flatnonzero(begins)
        ends = np.append(starts[1:], len(length))
        wide = (length[ends - 1] - length[starts]) * QUANTUM > WIDEST
        splits = gap > least
        begins |= splits if least == _SAME else splits & np.repeat(wide, ends - starts)
    return begins
