"""The quotient graph: one node for all atoms of a crystal that an invariant network cannot distinguish.

Colour refinement (the 1-dimensional Weisfeiler-Leman algorithm; Weisfeiler & Leman, Nauchno-Tekhnicheskaya Informatsia
2(9), 12, 1968) starts with the species as colours and refines them by the multiset of (colour of the sender, length)
over the edges of each atom until no class splits any more. All atoms of a class then see the same number of edges of
each kind (class of the sender, length). An invariant message-passing network computes an atom's next features from just
its features and this multiset, so by induction over the layers atoms of one class have equal features after every
layer, whatever the weights. One node per class suffices: sums over neighbours are weighted with the number of
edges, sums over atoms with the number of atoms. This is exact compression of graph networks (Bollen, Steegmans, Van den
Bussche & Vansummeren, "Learning Graph Neural Networks using Exact Compression", 2023) for crystals.

It holds because the edges form whole shells: breaking a tie would make equivalent atoms different.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.data.graphs.shells import Edges, lexicographic_order

_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, eq=False)
class QuotientGraphs:
    """Quotient graphs of B crystals, with N nodes and L links in all; indices count within a crystal.

    Attributes:
        atom_node: Node of each atom, one entry per atom, int64.
        node_crystal: Crystal of each node, shape (N,), int64.
        node_species: Atomic number of each node, shape (N,), uint8.
        node_weight: Number of atoms in the class of each node, shape (N,), int64.
        link_crystal: Crystal of each link, shape (L,), int64.
        link_receiver: Node that receives the messages of each link, shape (L,), int64.
        link_sender: Node that sends them, shape (L,), int64.
        link_length: Length of each link, shape (L,), float64, angstrom.
        link_weight: Number of edges per atom of the receiving node, shape (L,), int64.
    """

    atom_node: NDArray[np.int64]
    node_crystal: NDArray[np.int64]
    node_species: NDArray[np.uint8]
    node_weight: NDArray[np.int64]
    link_crystal: NDArray[np.int64]
    link_receiver: NDArray[np.int64]
    link_sender: NDArray[np.int64]
    link_length: NDArray[np.float64]
    link_weight: NDArray[np.int64]


def build_quotient_graphs(species: NDArray[np.uint8], crystal: NDArray[np.int64], edges: Edges) -> QuotientGraphs:
    """Build the quotient graphs of many crystals at once.

    Nodes are sorted by their final colour, links by receiver, length and sender; neither depends on the order of the
    atoms or on the cell, so that a supercell has the quotient graph of its primitive cell with larger node weights.

    Args:
        species: Atomic number of every atom of all crystals, shape (N,), uint8.
        crystal: Crystal of every atom, ascending from 0, shape (N,), int64.
        edges: Edges of all crystals; every atom receives at least one.
    """
    colour = refined_colours(species, crystal, edges)
    order = np.lexsort((colour, crystal))  # stable: the first atom of a class is the one with the lowest index
    starts = run_starts(crystal[order], colour[order])
    chosen = order[starts]
    weight = np.diff(starts, append=len(order))
    node_crystal = crystal[chosen]
    node = np.empty(len(order), dtype=np.int64)
    node[order] = np.repeat(_position_in_group(node_crystal), weight)

    is_chosen = np.zeros(len(order), dtype=bool)
    is_chosen[chosen] = True
    at = np.flatnonzero(is_chosen[edges.receiver])
    receiver, sender, shell = edges.receiver[at], node[edges.sender[at]], edges.shell[at]
    of, length = crystal[receiver], edges.length[at]
    receiver = node[receiver]
    order = lexicographic_order(of, receiver, shell, sender)
    of, receiver, shell, sender = of[order], receiver[order], shell[order], sender[order]
    first = run_starts(of, receiver, shell, sender)
    return QuotientGraphs(
        node,
        node_crystal,
        species[chosen],
        weight,
        of[first],
        receiver[first],
        sender[first],
        length[order][first],
        np.diff(first, append=len(order)),
    )


def refined_colours(species: NDArray[np.uint8], crystal: NDArray[np.int64], edges: Edges) -> NDArray[np.uint64]:
    """Return the colour of every atom, shape (N,), uint64: equal for atoms of a crystal that refinement does not split.

    Colours are 64-bit hashes: two classes of a crystal with a million atoms collide with probability 3e-8.
    """
    with np.errstate(over="ignore"):
        colour = _mix(species.astype(np.uint64) + _ODD)
        receiver, sender, tag = edges.receiver, edges.sender, _mix(edges.shell.astype(np.uint64))
        classes = _count_classes(colour, crystal)
        while len(receiver):
            starts = run_starts(receiver)
            atoms = receiver[starts]
            seen = np.add.reduceat(_mix(colour[sender] * _ODD + tag), starts)
            colour[atoms] = _mix(colour[atoms] * np.uint64(31) + seen)
            before, classes = classes, _count_classes(colour, crystal)
            # A crystal whose classes no longer split is finished, so that its colours do not depend on other crystals.
            unfinished = np.flatnonzero((classes > before)[crystal[receiver]])
            receiver, sender, tag = receiver[unfinished], sender[unfinished], tag[unfinished]
    return colour


def run_starts(*columns: NDArray[np.integer]) -> NDArray[np.intp]:
    """Return the indices at which runs of equal rows start.

    >>> run_starts(np.array([4, 4, 4, 7]), np.array([0, 1, 1, 1])).tolist()
    [0, 1, 3]
    """
    new = np.zeros(len(columns[0]), dtype=bool)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(new)


def _count_classes(colour: NDArray[np.uint64], crystal: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.lexsort((colour, crystal))
    crystal = crystal[order]
    return np.bincount(crystal[run_starts(crystal, colour[order])])


def _position_in_group(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of each entry within its group; groups are consecutive."""
    first = run_starts(group)
    return np.arange(len(group)) - np.repeat(first, np.diff(first, append=len(group)))


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread every bit over all 64 (the finaliser of SplitMix64; Steele, Lea & Flood, OOPSLA 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
