"""Which crystals a model was trained on, or on a twin of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from phase2.config.schema import GraphSpec
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.twins.search import find_twins
from phase2.errors import Phase2Error
from phase2.evaluation.data import LabelledData
from phase2.evaluation.groups import NEAR, NEW, SEEN


def joint_kinship(
    data: LabelledData, trained: Sequence[CrystalPropertyDataset | Phase2Error], specs: Sequence[GraphSpec]
) -> NDArray[np.str_] | None:
    """Compare crystals with the training crystals of one model or of all models of an ensemble.

    One is known to a model if a training crystal has its structure, whatever its id, or its id and formula. A near-twin
    is equal within 0.05 angstrom.

    Args:
        data: The crystals.
        trained: The data of each model, or why they are not here.
        specs: The graphs that each model reads; structures are compared where they are those of the crystals.

    Returns:
        The closest kinship, ``SEEN``, ``NEAR`` or ``NEW`` for each crystal, (B,); None where no data are here.
    """
    found: dict[str, NDArray[np.int64]] = {}
    for one, spec in zip(trained, specs, strict=True):
        if not isinstance(one, Phase2Error) and one.fingerprint not in found:
            found[one.fingerprint] = _kinship(data, one, structures=spec == data.config.graph)
    if not found:
        return None
    closest: NDArray[np.int64] = np.max(list(found.values()), axis=0)
    return np.array([NEW, NEAR, SEEN])[closest]


def _kinship(data: LabelledData, trained: CrystalPropertyDataset, *, structures: bool) -> NDArray[np.int64]:
    """Return 2 for each crystal that is known, 1 for a near-twin, 0 for others, (B,)."""
    graphs, train = trained.graphs, trained.split.train
    known = {_name(graphs, k) for k in train.tolist()}
    same = np.array([_name(data.store.graphs, k) in known for k in data.index.tolist()], dtype=bool)
    kind = np.zeros(len(data.index), dtype=np.int64)
    if structures:
        own = data.store.fingerprint == trained.store.fingerprint
        both, index, rows = (graphs, data.index, train) if own else _joined(data, trained)
        kind = find_twins(both, index, rows, cutoff=data.config.graph.cutoff).kind
    return np.where(same, 2, kind)


def _joined(
    data: LabelledData, trained: CrystalPropertyDataset
) -> tuple[PackedGraphs, NDArray[np.int64], NDArray[np.int64]]:
    """Return the crystals in question and the training crystals as one, with the rows of both."""
    part, train = data.store.graphs.take(data.index), trained.graphs.take(trained.split.train)
    # Their labels may be of different properties.
    both = PackedGraphs.concatenate([replace(one, targets=one.targets[:, :0]) for one in (part, train)])
    return both, np.arange(len(part)), len(part) + np.arange(len(train))


def _name(graphs: PackedGraphs, row: int) -> tuple[str, str]:
    return str(graphs.ids[row]), str(graphs.formulas[row])
