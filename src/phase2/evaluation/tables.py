"""Errors by property and by kind of crystal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.data.crystals.symmetry import UNKNOWN, space_group
from phase2.evaluation.baseline import Boosting
from phase2.evaluation.bootstrap import LEVEL, METHOD, RESAMPLES, SEED, measure_errors
from phase2.evaluation.data import LabelledData
from phase2.evaluation.groups import Described, Group, groups_of
from phase2.evaluation.result import EvaluatedGroup, Intervals
from phase2.properties import Property

MOST_SYMMETRIES = 2000
"""Crystals whose space group is looked for: about 4 ms each."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How intervals are drawn.

    Attributes:
        resamples: Samples; 0 for no intervals.
        level: Share of the samples between the ends.
        seed: Seed of the draws.
    """

    resamples: int = RESAMPLES
    level: float = LEVEL
    seed: int = SEED

    def described(self) -> Intervals:
        """Return the record of it."""
        return Intervals(method=METHOD, resamples=self.resamples, level=self.level, seed=self.seed)


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Predictions beside labels and baselines.

    Attributes:
        properties: The P properties.
        data: The B crystals and their labels.
        predicted: Predictions, (B, P) float64, NaN where there is none.
        median: Predictions of the median baseline, (B, P) float64.
        boosting: Gradient boosting.
        training: Kinship with the training crystals, (B,); None where that is not known.
    """

    properties: tuple[Property, ...]
    data: LabelledData
    predicted: NDArray[np.float64]
    median: NDArray[np.float64]
    boosting: Boosting
    training: NDArray[np.str_] | None


def evaluate_groups(compared: Compared, sampling: Sampling) -> tuple[list[EvaluatedGroup], list[str]]:
    """Measure the errors of each property over all crystals and over each group of them.

    Returns:
        The errors of the groups that have a label, all crystals first; and what is to be said of the groups.
    """
    graphs, index = compared.data.store.graphs, compared.data.index
    found = Described(
        formulas=graphs.formulas[index].tolist(),
        atoms=np.diff(graphs.atom_offset)[index],
        space_groups=_space_groups(compared.data),
        training=compared.training,
    )
    groups = [Group("all", "all", np.ones(len(index), dtype=bool)), *groups_of(found)]
    rows = [row for k in range(len(compared.properties)) for row in _of_property(compared, k, groups, sampling)]
    notes = []
    if len(index) > MOST_SYMMETRIES:
        notes.append(f"crystal systems and space groups are those of {MOST_SYMMETRIES:,} crystals drawn at random")
    return rows, notes


def _of_property(compared: Compared, k: int, groups: list[Group], sampling: Sampling) -> Iterator[EvaluatedGroup]:
    prop, labels, predicted = compared.properties[k], compared.data.labels[:, k], compared.predicted[:, k]
    boosted = None if compared.boosting.predicted is None else compared.boosting.predicted[:, k]
    usable = np.isfinite(labels) & np.isfinite(predicted)
    for group in groups:
        chosen = group.members & usable
        if group.kind != "all" and not chosen.any():
            continue
        errors = measure_errors(
            labels[chosen], predicted[chosen], resamples=sampling.resamples, level=sampling.level, seed=sampling.seed
        )
        boosting = _mean_error(labels[chosen], None if boosted is None else boosted[chosen])
        if group.kind == "all" and boosted is None:
            boosting = compared.boosting.recorded.get(prop.key)
        median = _mean_error(labels[chosen], compared.median[chosen, k])
        yield EvaluatedGroup.of((prop.key, prop.unit, group.kind, group.name), errors, median, boosting)


def _mean_error(labels: NDArray[np.float64], predicted: NDArray[np.float64] | None) -> float | None:
    if predicted is None or not len(labels) or not np.isfinite(predicted).all():
        return None
    return float(np.abs(predicted - labels).mean())


def _space_groups(data: LabelledData) -> NDArray[np.int64]:
    """Find the space groups of crystals, of at most a random choice of them; 0 for the others."""
    graphs, found = data.store.graphs, np.full(len(data.index), UNKNOWN, dtype=np.int64)
    rows = np.arange(len(data.index))
    if len(rows) > MOST_SYMMETRIES:
        rows = np.sort(np.random.default_rng(SEED).permutation(rows)[:MOST_SYMMETRIES])
    for row in rows:
        k = data.index[row]
        atoms = slice(graphs.atom_offset[k], graphs.atom_offset[k + 1])
        found[row] = space_group(graphs.lattice[k], graphs.species[atoms], graphs.positions[atoms])
    return found
