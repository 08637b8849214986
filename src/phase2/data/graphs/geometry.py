"""How closely the atoms of crystals are packed, beside the size of the atoms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.element_properties import element_properties
from phase2.data.graphs.packed import PackedGraphs, offsets_from_counts, ragged_indices

_BLOCK = 4096


def packing(graphs: PackedGraphs, index: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """Measure how closely the atoms of crystals are packed; the same for every cell of a crystal.

    Args:
        graphs: Graphs of the crystals, and of others.
        index: The crystals, rows of the graphs, (B,) int64; all of them if None.

    Returns:
        Shape (B, 2), float64: the shortest distance between two atoms, in units of the sum of their covalent radii, and
        the share of the volume that spheres of these radii have, overlaps counted twice.
    """
    index = np.arange(len(graphs)) if index is None else index
    blocks = [_packing(graphs, index[start : start + _BLOCK]) for start in range(0, len(index), _BLOCK)]
    return np.concatenate(blocks) if blocks else np.empty((0, 2))


def _packing(graphs: PackedGraphs, index: NDArray[np.int64]) -> NDArray[np.float64]:
    nodes, links = (ragged_indices(offset, index) for offset in (graphs.node_offset, graphs.link_offset))
    node_offset, link_offset = (
        offsets_from_counts(np.diff(offset)[index]) for offset in (graphs.node_offset, graphs.link_offset)
    )
    radius = element_properties().column("covalent_radius")[graphs.node_species[nodes]]
    first = np.repeat(node_offset[:-1], np.diff(link_offset))
    both = radius[graphs.link_receiver[links] + first] + radius[graphs.link_sender[links] + first]
    spheres = 4 / 3 * np.pi * radius**3 * graphs.node_weight[nodes]
    volume = np.abs(np.linalg.det(np.asarray(graphs.lattice[index], dtype=np.float64)))
    closest = np.minimum.reduceat(graphs.link_distance[links] / both, link_offset[:-1])
    return np.stack([closest, np.add.reduceat(spheres, node_offset[:-1]) / volume], axis=1)
