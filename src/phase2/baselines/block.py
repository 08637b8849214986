"""Quotient graphs of a block of crystals, and averages over their nodes and links."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.element_properties import element_properties
from phase2.data.graphs.packed import PackedGraphs, offsets_from_counts, ragged_indices

Statistic = Literal["mean", "spread", "low", "high"]
STATISTICS: tuple[Statistic, ...] = ("mean", "spread", "low", "high")


@dataclass(frozen=True, eq=False)
class Block:
    """Quotient graphs of B crystals, with N nodes and L links in all.

    A quotient graph is the same for every cell of a crystal, up to the weights of its nodes, and for every order of its
    atoms; features of it are invariant under both.

    Attributes:
        volume: Volume per atom, shape (B,), float64, cubic angstrom.
        node_offset: First node of each crystal, shape (B + 1,), int64.
        species: Atomic numbers of the nodes, shape (N,), uint8.
        fraction: Share of the crystal's atoms that each node stands for, shape (N,), float64; sums to 1 per crystal.
        link_offset: First link of each node, shape (N + 1,), int64; every node has a link.
        receiver: Node of each link, counted over the block, ascending, shape (L,), int64.
        sender: Node at its other end, shape (L,), int64.
        distance: Length of each link, shape (L,), float64, angstrom.
        count: Edges of an atom that each link stands for, shape (L,), float64.
    """

    volume: NDArray[np.float64]
    node_offset: NDArray[np.int64]
    species: NDArray[np.uint8]
    fraction: NDArray[np.float64]
    link_offset: NDArray[np.int64]
    receiver: NDArray[np.int64]
    sender: NDArray[np.int64]
    distance: NDArray[np.float64]
    count: NDArray[np.float64]

    @classmethod
    def of(cls, graphs: PackedGraphs, index: NDArray[np.int64]) -> Block:
        """Gather the quotient graphs of the crystals ``index``."""
        nodes = ragged_indices(graphs.node_offset, index)
        links = ragged_indices(graphs.link_offset, index)
        node_offset = offsets_from_counts(np.diff(graphs.node_offset)[index])
        first_node = np.repeat(node_offset[:-1], np.diff(graphs.link_offset)[index])
        receiver = graphs.link_receiver[links] + first_node
        weight = graphs.node_weight[nodes].astype(np.float64)
        atoms = np.add.reduceat(weight, node_offset[:-1])
        lattice = np.asarray(graphs.lattice[index], dtype=np.float64)
        return cls(
            volume=np.abs(np.linalg.det(lattice)) / atoms,
            node_offset=node_offset,
            species=np.asarray(graphs.node_species[nodes]),
            fraction=weight / np.repeat(atoms, np.diff(node_offset)),
            link_offset=offsets_from_counts(np.bincount(receiver, minlength=len(nodes))),
            receiver=receiver,
            sender=graphs.link_sender[links] + first_node,
            distance=graphs.link_distance[links].astype(np.float64),
            count=graphs.link_weight[links].astype(np.float64),
        )

    @cached_property
    def shell(self) -> NDArray[np.float64]:
        """Share of each link in the coordination of its node, shape (L,); sums to 1 per node."""
        weight = self.count * shell_weights(self.relative, self.link_offset)
        return weight / self.link_sum(weight)[self.receiver]

    @cached_property
    def relative(self) -> NDArray[np.float64]:
        """Length of each link / sum of the covalent radii of its ends, shape (L,)."""
        radius = element_properties().column("covalent_radius")[self.species]
        return self.distance / (radius[self.receiver] + radius[self.sender])

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Average values of the nodes over the atoms of each crystal, (N, ...) float64 to (B, ...)."""
        weight = self.fraction.reshape(-1, *[1] * (values.ndim - 1))
        averages: NDArray[np.float64] = np.add.reduceat(values * weight, self.node_offset[:-1], axis=0)
        return averages

    def statistics(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Describe values of the nodes by crystal: :func:`segment_statistics` over the atoms."""
        return segment_statistics(values, self.fraction, self.node_offset)

    def link_sum(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum over the links of each node, (L, ...) float64 to (N, ...)."""
        sums: NDArray[np.float64] = np.add.reduceat(values, self.link_offset[:-1], axis=0)
        return sums


def segment_statistics(
    values: NDArray[np.float64], share: NDArray[np.float64], offset: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Describe the values of each crystal, (N, C) float64 to (B, 4 C).

    The weighted mean, the mean absolute deviation from it, the smallest and the largest value.

    Args:
        values: Values of atoms or nodes, crystal after crystal.
        share: Weight of each, shape (N,), float64; sums to 1 per crystal.
        offset: First of each crystal, shape (B + 1,), int64; every crystal has one.
    """
    first, weight = offset[:-1], share[:, None]
    mean = np.add.reduceat(values * weight, first, axis=0)
    deviation = np.abs(values - np.repeat(mean, np.diff(offset), axis=0))
    spread = np.add.reduceat(deviation * weight, first, axis=0)
    low, high = (extreme.reduceat(values, first, axis=0) for extreme in (np.minimum, np.maximum))
    return np.concatenate([mean, spread, low, high], axis=1)


def shell_weights(relative: NDArray[np.float64], offset: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weigh neighbours by nearness: exp(1 - (d / d_nearest)^6), which is 1 for the nearest.

    From R. Hoppe, Z. Kristallogr. 150, 23 (1979), doi:10.1524/zkri.1979.150.14.23.

    Args:
        relative: Distances of the neighbours, atom after atom, in units of the sum of the radii.
        offset: First neighbour of each atom; every atom has one.
    """
    nearest = np.repeat(np.minimum.reduceat(relative, offset[:-1]), np.diff(offset))
    weights: NDArray[np.float64] = np.exp(1 - (relative / nearest) ** 6)
    return weights
