"""Features of crystals for gradient boosting, from their packed graphs.

All are invariant, to rounding, under the choice of the cell (supercells included), rotation, translation and the order
of the atoms. Lengths and angles of the cell are not among them: they depend on its choice, and made errors no smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.baselines.block import Block
from phase2.baselines.composition import composition_features, composition_names, element_names, element_shares
from phase2.baselines.coordination import coordination_features, coordination_names
from phase2.baselines.directions import direction_features, direction_names
from phase2.baselines.lattice import lattice_features, lattice_names
from phase2.data.graphs.packed import PackedGraphs

VERSION = 2
"""Of the features and of the fit: changing either makes cached baselines invisible."""

_BLOCK_EDGES = 200_000  # taken together: tens of megabytes


@dataclass(frozen=True, slots=True)
class FeatureGroup:
    """Features of one kind.

    Attributes:
        names: Function that returns their names.
        compute: Function that computes them for the crystals ``index``, (B, number of names) float64.
    """

    names: Callable[[], list[str]]
    compute: Callable[[PackedGraphs, NDArray[np.int64]], NDArray[np.float64]]


def _of_block(
    compute: Callable[[Block], NDArray[np.float64]],
) -> Callable[[PackedGraphs, NDArray[np.int64]], NDArray[np.float64]]:
    return lambda graphs, index: compute(Block.of(graphs, index))


GROUPS: Mapping[str, FeatureGroup] = {
    "composition": FeatureGroup(composition_names, _of_block(composition_features)),
    "lattice": FeatureGroup(lattice_names, _of_block(lattice_features)),
    "coordination": FeatureGroup(coordination_names, _of_block(coordination_features)),
    "directions": FeatureGroup(direction_names, direction_features),
    "elements": FeatureGroup(element_names, _of_block(element_shares)),
}
DEFAULT_GROUPS = ("composition", "lattice", "coordination", "directions")


def crystal_features(
    graphs: PackedGraphs, index: NDArray[np.int64], groups: tuple[str, ...] = DEFAULT_GROUPS
) -> NDArray[np.float32]:
    """Compute the features of crystals.

    Args:
        graphs: Graphs of a data set.
        index: Crystals to describe, shape (B,).
        groups: Names of groups of features.

    Returns:
        Shape (B, number of names), float32, in the order of :func:`feature_names`.
    """
    rows = [
        np.concatenate([GROUPS[group].compute(graphs, block) for group in groups], axis=1, dtype=np.float32)
        for block in _blocks(graphs, index)
    ]
    empty = np.empty((0, len(feature_names(groups))), dtype=np.float32)
    return np.concatenate([empty, *rows])


def feature_names(groups: tuple[str, ...] = DEFAULT_GROUPS) -> list[str]:
    """Return the names of the features of :func:`crystal_features`, in order."""
    return [name for group in groups for name in GROUPS[group].names()]


def _blocks(graphs: PackedGraphs, index: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Divide crystals into blocks of about equally many edges."""
    edges = np.cumsum(np.diff(graphs.edge_offset)[index])
    yield from (block for block in np.split(index, np.flatnonzero(np.diff(edges // _BLOCK_EDGES)) + 1) if len(block))
