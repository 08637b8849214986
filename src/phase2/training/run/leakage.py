"""Measuring how much of the test part of a run is nearly in its training part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phase2.config.settings import cache_dir
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.symmetry.table import known_symmetry, symmetries_of
from phase2.data.twins.search import NEAR, NONE, TOLERANCE, TWIN, find_twins
from phase2.properties import Property
from phase2.runs.records.splits import Leakage, TwinErrors
from phase2.uncertainty.log_loss import log_losses

MOST_SYMMETRIES = 200
"""Crystals whose symmetry is looked for where it is not known: about 3 ms each."""


def measure_leakage(dataset: CrystalPropertyDataset, predicted: NDArray[np.float64], cutoff: float) -> Leakage:
    """Count the test crystals with a twin or near-twin in the training part, and compare the errors on them.

    Args:
        dataset: The data of the run.
        predicted: Predictions for the test part, (B, P), physical units.
        cutoff: Longest edge of the graphs, angstrom.
    """
    split = dataset.split
    found = find_twins(dataset.graphs, split.test, split.train, cutoff=cutoff)
    labels = dataset.targets[split.test]
    return Leakage(
        test=len(split.test),
        twins=int((found.kind == TWIN).sum()),
        near_twins=int((found.kind == NEAR).sum()),
        tolerance=TOLERANCE,
        same_composition=int(found.same_formula.sum()),
        same_prototype=_same_prototype(dataset, split.test[found.same_formula]),
        errors=tuple(
            _errors(prop, predicted[:, k], labels[:, k], found.kind != NONE)
            for k, prop in enumerate(dataset.properties)
        ),
    )


def _errors(
    prop: Property, predicted: NDArray[np.float64], labels: NDArray[np.float64], is_twin: NDArray[np.bool_]
) -> TwinErrors:
    is_binary = prop.task == "binary"
    errors = log_losses(labels, predicted) if is_binary else np.abs(predicted - labels)
    known = np.isfinite(errors)
    twins, others = errors[known & is_twin], errors[known & ~is_twin]
    return TwinErrors(
        key=prop.key,
        unit="log loss" if is_binary else prop.unit,
        twins=len(twins),
        twins_mae=float(twins.mean()) if len(twins) else None,
        others=len(others),
        others_mae=float(others.mean()) if len(others) else None,
    )


def _same_prototype(dataset: CrystalPropertyDataset, test: NDArray[np.int64]) -> int | None:
    """Count crystals with the composition and the prototype of a training crystal; None where that takes too long."""
    graphs, train = dataset.graphs, dataset.split.train
    partners = train[np.isin(graphs.formulas[train], graphs.formulas[test])]
    index = np.concatenate([test, partners])
    table = known_symmetry(dataset.store, cache_dir())
    if table is not None:
        labels = [str(one) for one in table.prototypes[index]]
    elif len(index) <= MOST_SYMMETRIES:
        labels = [one.prototype for one in symmetries_of(graphs, index)]
    else:
        return None
    named = list(zip(map(str, graphs.formulas[index]), labels, strict=True))
    trained = {one for one in named[len(test) :] if one[1]}
    return sum(one in trained for one in named[: len(test)])
