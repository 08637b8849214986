"""Sizes of batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from phase2.data.batching import Batch, CrystalBatch, View
from phase2.data.graphs.packed import PackedGraphs


class BatchShape(NamedTuple):
    """Size of a batch; the sizes of crystals add up to that of their batch.

    Attributes:
        crystals: Crystals, B.
        atoms: Atoms, or nodes of the quotient graph, N.
        bonds: Bonds, M, or links of the quotient graph, L.
        extra_edges: Edges beyond one per bond, E - M; 0 on the quotient graph.
    """

    crystals: int
    atoms: int
    bonds: int
    extra_edges: int

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """Return the size of a batch, its padding included."""
        if isinstance(batch, CrystalBatch):
            bonds = len(batch.bond_sender)
            return cls(batch.n_crystals, len(batch.species), bonds, len(batch.edge_bond) - bonds)
        return cls(batch.n_crystals, len(batch.species), len(batch.sender), 0)

    @property
    def edges(self) -> int:
        """Edges, E."""
        return self.bonds + self.extra_edges

    def has_room_for(self, batch: BatchShape) -> bool:
        """Tell whether a batch of a size can be padded to this one.

        What is padded belongs to a crystal, an atom and a bond of its own, and each bond needs an edge.
        """
        has_own = all(mine > theirs for mine, theirs in zip(self[:3], batch[:3], strict=True))
        return has_own and self.extra_edges >= batch.extra_edges


BONDS = BatchShape._fields.index("bonds")
"""Column of the bonds, or links, among sizes."""


def crystal_shapes(graphs: PackedGraphs, view: View) -> NDArray[np.int64]:
    """Return the size of each crystal, a row of :class:`BatchShape`, (B, 4) int64."""
    names = ("node", "link") if view == "quotient" else ("atom", "bond")
    atoms, bonds = (np.diff(graphs.offset(name)) for name in names)
    extra = np.diff(graphs.edge_offset) - bonds if view == "crystal" else np.zeros_like(bonds)
    return np.stack([np.ones_like(atoms), atoms, bonds, extra], axis=1)


def batch_shapes(crystals: NDArray[np.int64], batches: Iterable[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Add up the sizes of the crystals of each of T batches, (T, 4) int64."""
    return np.array([crystals[batch].sum(axis=0) for batch in batches], np.int64).reshape(-1, len(BatchShape._fields))
