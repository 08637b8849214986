"""Finding test crystals that have a twin or a near-twin among the training crystals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phase2.data.graphs.packed import PackedGraphs
from phase2.data.twins.profile import Profiles, profiles

TOLERANCE = 0.05
"""Largest difference of two distances of near-twins, angstrom."""
EQUAL = 1e-3
"""Largest difference of two lengths of one quotient graph, angstrom: files round positions to about as much."""
SHARE = 0.1
"""Largest difference in the number of neighbours of an element, out of twelve."""

_PAIRS = 2_000_000
"""Numbers that are compared at once: 8 MB."""

NONE, NEAR, TWIN = 0, 1, 2


class _Group(NamedTuple):
    """Rows of one formula."""

    tested: NDArray[np.int64]
    trained: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Twins:
    """Kinship of some crystals with the training crystals.

    Attributes:
        kind: Of each crystal, (B,) int64: 2 with a twin, 1 with a near-twin, 0 with neither.
        same_formula: Whether a training crystal has its reduced formula, (B,) bool.
    """

    kind: NDArray[np.int64]
    same_formula: NDArray[np.bool_]


def find_twins(graphs: PackedGraphs, index: NDArray[np.int64], train: NDArray[np.int64], *, cutoff: float) -> Twins:
    """Find which crystals have a twin or a near-twin in the training part.

    A twin has the same reduced formula and the same quotient graph, but for the number of cells: equal lengths within
    0.001 angstrom. A near-twin has the same formula and, for each element, the same twelve distances within 0.05
    angstrom to neighbours of the same elements. Only crystals that share a formula are compared.

    Args:
        graphs: All crystals.
        index: The crystals in question, rows of ``graphs``.
        train: The training crystals.
        cutoff: Longest edge of the graphs, angstrom.
    """
    kind = np.zeros(len(index), dtype=np.int64)
    formulas, trained = graphs.formulas[index], graphs.formulas[train]
    same = np.isin(formulas, trained)
    groups = _groups(formulas, trained, index, train)
    place = {int(k): row for row, k in enumerate(index)}
    found = profiles(graphs, [np.concatenate([one.tested, one.trained]) for one in groups], cutoff)
    for group, made in zip(groups, found, strict=True):
        for row, other in _near(made, len(group.tested)):
            k = int(group.tested[row])
            equal = kind[place[k]] == TWIN or equal_graphs(graphs, k, int(group.trained[other]))
            kind[place[k]] = max(kind[place[k]], TWIN if equal else NEAR)
    return Twins(kind, same)


def equal_graphs(graphs: PackedGraphs, one: int, other: int) -> bool:
    """Whether two crystals have one quotient graph, but for the number of cells."""
    (nodes, weight, links, length), (nodes2, weight2, links2, length2) = (_graph(graphs, k) for k in (one, other))
    if not (np.array_equal(nodes, nodes2) and np.array_equal(weight, weight2) and np.array_equal(links, links2)):
        return False
    return bool((np.abs(length - length2) <= EQUAL).all())


def _graph(
    graphs: PackedGraphs, k: int
) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    nodes = slice(graphs.node_offset[k], graphs.node_offset[k + 1])
    links = slice(graphs.link_offset[k], graphs.link_offset[k + 1])
    weight = graphs.node_weight[nodes]
    table = np.stack([graphs.link_receiver[links], graphs.link_sender[links], graphs.link_weight[links]])
    return graphs.node_species[nodes], weight // np.gcd.reduce(weight), table, graphs.link_distance[links]


def _groups(
    formulas: NDArray[np.str_], trained: NDArray[np.str_], index: NDArray[np.int64], train: NDArray[np.int64]
) -> list[_Group]:
    """Return the rows of each formula that both parts have."""
    shared = np.intersect1d(formulas, trained)
    tested = _rows_by_formula(formulas, index, shared)
    partners = _rows_by_formula(trained, train, shared)
    return [_Group(tested[formula], partners[formula]) for formula in map(str, shared)]


def _rows_by_formula(
    formulas: NDArray[np.str_], rows: NDArray[np.int64], shared: NDArray[np.str_]
) -> dict[str, NDArray[np.int64]]:
    if not len(shared):
        return {}
    kept = np.isin(formulas, shared)
    order = np.argsort(formulas[kept], kind="stable")
    names, starts = np.unique(formulas[kept][order], return_index=True)
    return dict(zip(map(str, names), np.split(rows[kept][order], starts[1:]), strict=True))


def _near(made: Profiles, tested: int) -> list[tuple[int, int]]:
    """Return the pairs of a tested and a trained crystal of one formula that are near-twins."""
    pairs: list[tuple[int, int]] = []
    distances, neighbors = made.distances[tested:], made.neighbors[tested:]
    step = max(1, _PAIRS // max(1, distances.size))
    for start in range(0, tested, step):
        rows = slice(start, min(start + step, tested))
        apart = np.abs(made.distances[rows, None] - distances[None]).max(axis=2)
        others = np.abs(made.neighbors[rows, None] - neighbors[None]).max(axis=2)
        found = np.argwhere((apart <= TOLERANCE) & (others <= SHARE))
        pairs += [(start + int(row), int(other)) for row, other in found]
    return pairs
