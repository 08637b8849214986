"""Which crystals a model was trained on, or on a twin of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phase2.config.schema import GraphSpec
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.graphs.packed import PackedGraphs
from phase2.errors import Phase2Error
from phase2.evaluation.data import LabelledData
from phase2.evaluation.groups import NEW, SEEN

TOLERANCE = 0.05
"""Largest difference of two neighbour distances of equal structures, angstrom."""


def joint_kinship(
    data: LabelledData, trained: Sequence[CrystalPropertyDataset | Phase2Error], specs: Sequence[GraphSpec]
) -> NDArray[np.str_] | None:
    """Compare crystals with the training crystals of one model or of all models of an ensemble.

    One is known to a model if a training crystal has its structure, whatever its id, or its id and formula.

    Args:
        data: The crystals.
        trained: The data of each model, or why they are not here.
        specs: The graphs that each model reads; structures are compared where they are those of the crystals.

    Returns:
        ``SEEN`` or ``NEW`` for each crystal, (B,); None where no data are here.
    """
    found: dict[str, NDArray[np.bool_]] = {}
    for one, spec in zip(trained, specs, strict=True):
        if not isinstance(one, Phase2Error) and one.fingerprint not in found:
            found[one.fingerprint] = _known(data, one, structures=spec == data.config.graph)
    if not found:
        return None
    return np.where(np.any(list(found.values()), axis=0), SEEN, NEW)


def _known(data: LabelledData, trained: CrystalPropertyDataset, *, structures: bool) -> NDArray[np.bool_]:
    """Return which crystals are known, (B,)."""
    graphs, train = trained.graphs, trained.split.train
    names = {_name(graphs, k) for k in train.tolist()}
    rows: dict[str, list[int]] = {}
    for k in train.tolist() if structures else ():
        rows.setdefault(str(graphs.formulas[k]), []).append(k)
    others = data.store.graphs
    return np.array(
        [
            _name(others, k) in names
            or any(_equal(others, k, graphs, row) for row in rows.get(str(others.formulas[k]), ()))
            for k in data.index.tolist()
        ],
        dtype=bool,
    )


def _equal(one: PackedGraphs, k: int, other: PackedGraphs, row: int) -> bool:
    """Whether two crystals have one quotient graph, but for the number of cells and small differences of lengths."""
    (first, lengths), (second, others) = _graph(one, k), _graph(other, row)
    if not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True)):
        return False
    return bool((np.abs(lengths - others) <= TOLERANCE).all())


def _graph(graphs: PackedGraphs, k: int) -> tuple[list[NDArray[np.integer]], NDArray[np.float32]]:
    """Return nodes, weights and links of a crystal, and the lengths of its links."""
    nodes = slice(graphs.node_offset[k], graphs.node_offset[k + 1])
    links = slice(graphs.link_offset[k], graphs.link_offset[k + 1])
    weight = graphs.node_weight[nodes]
    table = [graphs.link_receiver[links], graphs.link_sender[links], graphs.link_weight[links]]
    return [graphs.node_species[nodes], weight // np.gcd.reduce(weight), *table], graphs.link_distance[links]


def _name(graphs: PackedGraphs, row: int) -> tuple[str, str]:
    return str(graphs.ids[row]), str(graphs.formulas[row])
