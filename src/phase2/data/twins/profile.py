"""Distance profiles: what two crystals of one formula have alike when their graphs are alike.

The profile of a crystal has for each of its elements the distances to the nearest neighbours, the first to the twelfth,
over the atoms of the element (as quantiles, so that cells of any size compare), and for each pair of elements how many
of these neighbours are of the other. It is read off the quotient graph, many crystals at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.data.graphs.packed import PackedGraphs

NEIGHBORS = 12
QUANTILES = 8
SHELL = 0.1
"""Neighbours this much nearer than the twelfth are counted one by one, those beyond as a share of the last shell,
angstrom: of a shell that is split in one of two crystals, both then have the same share."""


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """Profiles of the crystals of one formula.

    Attributes:
        distances: Quantiles of the distances of each element's atoms, (B, S * 12 * 8) float32, angstrom.
        neighbors: Neighbours of each element that are of each, out of twelve, (B, S * S) float32.
    """

    distances: NDArray[np.float32]
    neighbors: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Nodes:
    """Nodes of many crystals: what is known of the neighbours of each."""

    distances: NDArray[np.float32]
    shares: NDArray[np.float32]


def profiles(graphs: PackedGraphs, groups: list[NDArray[np.int64]], cutoff: float) -> Iterator[Profiles]:
    """Yield the profiles of groups of crystals; those of one group have one formula.

    Args:
        graphs: The crystals.
        groups: Rows of each group.
        cutoff: Longest edge of the graphs, angstrom, which stands for neighbours that are farther.
    """
    for index in groups:
        chosen = graphs.take(index)
        elements = np.unique(chosen.node_species)
        nodes = _nodes(chosen, elements, cutoff)
        crystal = np.repeat(np.arange(len(chosen)), np.diff(chosen.node_offset))
        distances, neighbors = [], []
        for element in elements:
            at = np.flatnonzero(chosen.node_species == element)
            of, weight = crystal[at], chosen.node_weight[at].astype(np.int64)
            distances.append(_quantiles(nodes.distances[at], of, weight, len(chosen)))
            total = np.bincount(of, weight, minlength=len(chosen))
            shares = np.zeros((len(chosen), len(elements)))
            np.add.at(shares, of, nodes.shares[at] * weight[:, None])
            neighbors.append(shares / total[:, None])
        yield Profiles(
            np.concatenate(distances, axis=1).astype(np.float32), np.concatenate(neighbors, axis=1).astype(np.float32)
        )


def _nodes(graphs: PackedGraphs, elements: NDArray[np.uint8], cutoff: float) -> _Nodes:
    """Return the nearest twelve distances of each node, and of which elements these neighbours are."""
    offset = np.repeat(graphs.node_offset[:-1], np.diff(graphs.link_offset))
    receiver = graphs.link_receiver + offset
    sender = np.searchsorted(elements, graphs.node_species[graphs.link_sender + offset])
    length, weight = graphs.link_distance, graphs.link_weight.astype(np.int64)
    nodes = len(graphs.node_species)

    each = np.repeat(np.arange(len(length)), weight)
    order = each[np.lexsort((length[each], receiver[each]))]
    first = np.searchsorted(receiver[order], np.arange(nodes))
    place = np.arange(len(order)) - first[receiver[order]]
    kept = place < NEIGHBORS
    distances = np.full((nodes, NEIGHBORS), cutoff, dtype=np.float32)
    distances[receiver[order][kept], place[kept]] = length[order][kept]

    last = length >= distances[receiver, -1] - SHELL
    inner, outer = np.zeros((nodes, len(elements))), np.zeros((nodes, len(elements)))
    np.add.at(inner, (receiver[~last], sender[~last]), weight[~last])
    np.add.at(outer, (receiver[last], sender[last]), weight[last])
    room = NEIGHBORS - inner.sum(axis=1, keepdims=True)
    share = outer / np.maximum(outer.sum(axis=1, keepdims=True), 1)
    return _Nodes(distances, (inner + room * share).astype(np.float32))


def _quantiles(
    distances: NDArray[np.float32], crystal: NDArray[np.int64], weight: NDArray[np.int64], crystals: int
) -> NDArray[np.float32]:
    """Return quantiles of each column over the nodes of each crystal, (crystals, 12 * 8)."""
    total = np.bincount(crystal, weight, minlength=crystals).astype(np.int64)
    found = np.empty((crystals, NEIGHBORS, QUANTILES), dtype=np.float32)
    starts = np.concatenate([[0], np.cumsum(total)[:-1]])
    # Whole numbers, so that a cell and its supercell take the same atoms.
    wanted = ((2 * np.arange(QUANTILES) + 1)[None, :] * total[:, None]) // (2 * QUANTILES)
    for column in range(NEIGHBORS):
        order = np.lexsort((distances[:, column], crystal))
        ends = np.cumsum(weight[order])
        at = np.searchsorted(ends, (starts[:, None] + wanted).ravel(), side="right")
        found[:, column] = distances[order[at], column].reshape(crystals, QUANTILES)
    return found.reshape(crystals, -1)
