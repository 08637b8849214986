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
from phase2.evaluation.probabilities import measure_probabilities
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
        median: Predictions of the median baseline, (B, P) float64; of a binary property the share of true ones among
            the training labels.
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
    usable = np.isfinite(compared.data.labels[:, k]) & np.isfinite(compared.predicted[:, k])
    measure = _binary_group if compared.properties[k].task == "binary" else _group
    for group in groups:
        chosen = group.members & usable
        if group.kind == "all" or chosen.any():
            yield measure(compared, k, group, chosen, sampling)


def _group(compared: Compared, k: int, group: Group, chosen: NDArray[np.bool_], sampling: Sampling) -> EvaluatedGroup:
    prop, labels = compared.properties[k], compared.data.labels[chosen, k]
    boosted = None if compared.boosting.predicted is None else compared.boosting.predicted[chosen, k]
    errors = measure_errors(
        labels,
        compared.predicted[chosen, k],
        resamples=sampling.resamples,
        level=sampling.level,
        seed=sampling.seed,
    )
    boosting = _mean_error(labels, boosted)
    if group.kind == "all" and boosted is None:
        boosting = compared.boosting.recorded.get(prop.key)
    median = _mean_error(labels, compared.median[chosen, k])
    return EvaluatedGroup.of((prop.key, prop.unit, group.kind, group.name), errors, median, boosting)


def _binary_group(
    compared: Compared, k: int, group: Group, chosen: NDArray[np.bool_], sampling: Sampling
) -> EvaluatedGroup:
    labels, prior = compared.data.labels[chosen, k], compared.median[chosen, k]
    errors = measure_probabilities(
        labels,
        compared.predicted[chosen, k],
        resamples=sampling.resamples,
        level=sampling.level,
        seed=sampling.seed,
    )
    baseline = measure_probabilities(labels, prior, resamples=0)
    # A prior of 0 or 1 would be infinitely wrong about the first crystal of the other kind.
    loss = baseline.log_loss.value if ((prior > 0) & (prior < 1)).all() else None
    names = (compared.properties[k].key, group.kind, group.name)
    return EvaluatedGroup.of_binary(names, errors, (loss, baseline.accuracy.value))


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
