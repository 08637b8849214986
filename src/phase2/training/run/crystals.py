"""Recording what the report of a run tells about its crystals, while the data are at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.symmetry import UNKNOWN, space_group
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.transforms import to_learned
from phase2.properties import Property
from phase2.runs.layout import RunDirectory
from phase2.runs.records.crystals import WORST, LabelHistogram, RecordedStructure, RunCrystals, Vector, write_crystals
from phase2.training.result import TrainingResult

MOST_SYMMETRIES = 2000
"""Test crystals whose space group is looked for: about 4 ms each."""

MOST_ATOMS = 200
"""Atoms of the largest structure that is recorded."""

BINS = 40


def record_crystals(
    run: RunDirectory, dataset: CrystalPropertyDataset, result: TrainingResult, notify: Callable[[str], None]
) -> None:
    """Write ``crystals.json``; say why where that fails, which costs the report a part and no run.

    Args:
        run: The run directory.
        dataset: Its data.
        result: Its predictions for the test part, and their distances.
        notify: Callback receiving one line for the user.
    """
    try:
        write_crystals(run, describe_crystals(dataset, result.test, result.test_novelty))
    except Exception as error:  # noqa: BLE001 - a symmetry that cannot be determined must not cost a trained run
        notify(f"No {run.crystals.name}: {type(error).__name__}: {error}")


def describe_crystals(
    dataset: CrystalPropertyDataset, predicted: NDArray[np.float64], novelty: NDArray[np.float64]
) -> RunCrystals:
    """Describe the test crystals of a run, and the labels of all parts.

    Args:
        dataset: The data of the run.
        predicted: Predictions for the test part, (B, P), physical units.
        novelty: Distance of the test crystals from the training crystals, (B,), as the calibration measures it.
    """
    graphs, split = dataset.graphs, dataset.split
    trained = set(graphs.formulas[split.train].tolist())
    test_seen = [row for row, formula in enumerate(graphs.formulas[split.test].tolist()) if formula in trained]
    sizes = np.diff(graphs.atom_offset)[split.test]
    return RunCrystals(
        atoms=tuple(sizes.tolist()),
        space_groups=tuple(_space_groups(graphs, split.test)),
        distances=tuple(_rounded(novelty)) if np.isfinite(novelty).all() else (),
        test_seen=tuple(test_seen),
        val_seen=sum(formula in trained for formula in graphs.formulas[split.val].tolist()),
        labels={p.key: _labels(dataset, p, k) for k, p in enumerate(dataset.properties)},
        structures=tuple(_structure(graphs, split.test[row]) for row in _worst(dataset, predicted, sizes)),
    )


def _space_groups(graphs: PackedGraphs, index: NDArray[np.int64]) -> Iterator[int]:
    """Space groups of the first crystals of a part, which are a random sample of it; 0 for the others."""
    for row, k in enumerate(index.tolist()):
        if row >= MOST_SYMMETRIES:
            yield UNKNOWN
            continue
        atoms = slice(graphs.atom_offset[k], graphs.atom_offset[k + 1])
        yield space_group(graphs.lattice[k], graphs.species[atoms], graphs.positions[atoms])


def _worst(
    dataset: CrystalPropertyDataset, predicted: NDArray[np.float64], sizes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Rows of the test crystals with the largest errors of each property that are not too large to draw."""
    errors = np.abs(predicted - dataset.targets[dataset.split.test])
    errors[~np.isfinite(errors)] = -1
    rows = {int(row) for column in errors.T for row in np.argsort(-column, kind="stable")[:WORST] if column[row] >= 0}
    return np.array(sorted(row for row in rows if sizes[row] <= MOST_ATOMS), dtype=np.int64)


def _structure(graphs: PackedGraphs, k: int) -> RecordedStructure:
    atoms = slice(graphs.atom_offset[k], graphs.atom_offset[k + 1])
    a, b, c = map(_vector, graphs.lattice[k])
    return RecordedStructure(
        id=str(graphs.ids[k]),
        lattice=(a, b, c),
        species=tuple(graphs.species[atoms].tolist()),
        positions=tuple(map(_vector, graphs.positions[atoms])),
    )


def _vector(values: NDArray[np.floating]) -> Vector:
    x, y, z = (round(float(value), 3) for value in values)
    return x, y, z


def _labels(dataset: CrystalPropertyDataset, prop: Property, k: int) -> LabelHistogram:
    """Count labels in bins of the scale that the property is learned on, between its outer percentiles."""
    split, column = dataset.split, dataset.targets[:, k]
    scaled = to_learned(column, prop)
    known = scaled[np.concatenate([split.train, split.val, split.test])]
    low, high = np.quantile(known[np.isfinite(known)], [0.002, 0.998]).tolist()
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts = (_counts(scaled[part], low, high) for part in (split.train, split.val, split.test))
    train, val, test = counts
    return LabelHistogram(low=low, high=high, train=train, val=val, test=test)


def _counts(values: NDArray[np.float64], low: float, high: float) -> tuple[int, ...]:
    inside = np.clip(values[np.isfinite(values)], low, high)
    return tuple(np.histogram(inside, bins=BINS, range=(low, high))[0].tolist())


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.3g}") for value in values.tolist()]
