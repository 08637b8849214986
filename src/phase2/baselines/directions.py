"""Features of the directions of the neighbours: bond-orientational order.

The order parameters are those of P. J. Steinhardt, D. R. Nelson and M. Ronchetti, Phys. Rev. B 28, 784 (1983),
doi:10.1103/PhysRevB.28.784, eq. 1.3, with neighbours weighted by nearness. They are invariant under rotation; those of
odd degree vanish where an atom is a centre of inversion of its neighbourhood.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from phase2.baselines.block import STATISTICS, segment_statistics, shell_weights
from phase2.data.crystals.element_properties import element_properties
from phase2.data.graphs.packed import PackedGraphs, offsets_from_counts, ragged_indices

DEGREES = (1, 2, 3, 4, 6)


def direction_names() -> list[str]:
    """Return the names of the features of directions."""
    return [f"{statistic} orientational order {degree}" for statistic in STATISTICS for degree in DEGREES]


def direction_features(graphs: PackedGraphs, index: NDArray[np.int64]) -> NDArray[np.float64]:
    """Describe the directions of the neighbours in the crystals ``index``, (B, number of names) float64."""
    receiver, species, vector = _edges(graphs, index)
    distance = np.linalg.norm(vector, axis=1)
    radius = element_properties().column("covalent_radius")[species]
    atom_offset = offsets_from_counts(np.diff(graphs.atom_offset)[index])
    edge_offset = offsets_from_counts(np.bincount(receiver, minlength=atom_offset[-1]))
    weight = shell_weights(distance / radius.sum(axis=1), edge_offset)
    weight /= np.repeat(np.add.reduceat(weight, edge_offset[:-1]), np.diff(edge_offset))
    order = _orientational_order(vector / distance[:, None], weight, edge_offset[:-1])
    share = np.repeat(1 / np.diff(atom_offset), np.diff(atom_offset))
    return segment_statistics(order, share, atom_offset)


def _edges(
    graphs: PackedGraphs, index: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.float64]]:
    """Return receiver (E,), species of both ends (E, 2) and vector (E, 3) of each edge; atoms count over the block."""
    atoms, bonds, edges = (ragged_indices(graphs.offset(entity), index) for entity in ("atom", "bond", "edge"))
    n_atoms, n_bonds, n_edges = (np.diff(graphs.offset(entity))[index] for entity in ("atom", "bond", "edge"))
    first_atom = np.repeat(offsets_from_counts(n_atoms)[:-1], n_bonds)
    bond = graphs.edge_bond[edges] + np.repeat(offsets_from_counts(n_bonds)[:-1], n_edges)
    receiver, sender = ((ends[bonds] + first_atom)[bond] for ends in (graphs.bond_receiver, graphs.bond_sender))
    positions, species = graphs.positions[atoms].astype(np.float64), np.asarray(graphs.species[atoms])
    lattice = graphs.lattice[index].astype(np.float64)
    shift = np.einsum("ei,eij->ej", graphs.edge_shift[edges].astype(np.float64), np.repeat(lattice, n_edges, axis=0))
    vector = positions[sender] + shift - positions[receiver]
    return receiver, np.stack([species[receiver], species[sender]], axis=1), vector


def _orientational_order(
    unit: NDArray[np.float64], weight: NDArray[np.float64], first_edge: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the order parameters of each atom, (N, number of degrees); weights sum to 1 per atom.

    The norm over m of the weighted mean of sqrt(4 pi / (2 l + 1)) Y_lm: 1 where all neighbours are in one direction.
    """
    power = np.zeros((len(first_edge), max(DEGREES) + 1))
    for degree, order, harmonic in _harmonics(unit, weight):
        total = np.add.reduceat(harmonic, first_edge)
        both = 1 if order == 0 else 2  # m and -m
        power[:, degree] += both * (np.square(total.real) + np.square(total.imag)) / (2 * degree + 1)
    norm: NDArray[np.float64] = np.sqrt(power[:, DEGREES])
    return norm


def _harmonics(
    unit: NDArray[np.float64], weight: NDArray[np.float64]
) -> Iterator[tuple[int, int, NDArray[np.complex128]]]:
    """Yield l, m >= 0 and the weighted sqrt(4 pi) Y_lm of each unit vector, by the recursion in l at fixed m."""
    x, y, z = unit.T
    sectoral = weight.astype(np.complex128)  # l = m
    for m in range(max(DEGREES) + 1):
        if m:
            sectoral = sectoral * (x + 1j * y) * np.sqrt((2 * m + 1) / (2 * m))
        before, now = np.zeros_like(sectoral), sectoral
        yield m, m, now
        for degree in range(m + 1, max(DEGREES) + 1):
            a = np.sqrt((4 * degree**2 - 1) / (degree**2 - m**2))
            b = np.sqrt(((degree - 1) ** 2 - m**2) / (4 * (degree - 1) ** 2 - 1))
            before, now = now, a * (z * now - b * before)
            yield degree, m, now
