"""Gradient boosting: one model per property, fitted to the labels that the network is trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from phase2.baselines.features import DEFAULT_GROUPS, crystal_features
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.targets import TargetScaler
from phase2.data.transforms import learned_factors
from phase2.machine.hardware import thread_count
from phase2.properties import MODULI, PROPERTIES, Property, times_volume

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

MIN_LABELS = 20
"""Fewest training labels that a model is fitted to."""

Settings: TypeAlias = Mapping[str, float | str | bool]
"""Arguments of scikit-learn's ``HistGradientBoostingRegressor``."""

SETTINGS: Settings = {"loss": "squared_error", "l2_regularization": 1.0, "max_bins": 63, "early_stopping": False}
"""Settings of every model, chosen on validation errors (docs/decisions/029-gradient-boosting-baseline.md)."""

_SLOW = {"max_iter": 300, "learning_rate": 0.06, "min_samples_leaf": 5, "max_features": 0.1}
_FAST = {"max_iter": 150, "learning_rate": 0.15, "min_samples_leaf": 10, "max_features": 0.2}
_MANY_LABELS = 10_000
SETTINGS_BY_SIZE: Mapping[int, Settings] = {
    0: {**_SLOW, "max_leaf_nodes": 15},
    2_000: {**_SLOW, "max_leaf_nodes": 31},
    _MANY_LABELS: {**_FAST, "max_leaf_nodes": 127},
}
"""Further settings by the fewest training labels they are for: more labels allow larger trees, and time fewer."""


@dataclass(frozen=True, slots=True, eq=False)
class BoostingPredictions:
    """Predictions of gradient boosting in physical units, NaN for properties with too few labels.

    Attributes:
        val: For ``split.val``, in that order, shape (B, P), float64.
        test: For ``split.test``, shape (B, P), float64.
        train_labels: Labels that each model was fitted to, shape (P,), int64.
    """

    val: NDArray[np.float64]
    test: NDArray[np.float64]
    train_labels: NDArray[np.int64]


def sklearn_version() -> str:
    """Return the version of scikit-learn, without importing it."""
    return version("scikit-learn")


def settings_for(labels: int) -> Settings:
    """Return the settings of a model that is fitted to so many labels."""
    size = max(size for size in SETTINGS_BY_SIZE if size <= labels)
    return {**SETTINGS, **SETTINGS_BY_SIZE[size]}


def predict_by_boosting(
    dataset: CrystalPropertyDataset,
    *,
    seed: int,
    groups: tuple[str, ...] = DEFAULT_GROUPS,
    settings: Settings | None = None,
    before_each: Callable[[], None] = lambda: None,
) -> BoostingPredictions:
    """Fit a model per property to the training part, and predict the two others.

    Binary properties have no such model: the baseline of a probability is the share of true labels. Labels of the
    others are transformed, normalised and freed of outliers as for a network. Of moduli the value times the volume per
    atom is learned, and of the others of the nine the value, whichever a network learns (decision 077). Equal data,
    seed, version of scikit-learn and number of threads give equal predictions; below 10,000 labels there is one thread.

    Args:
        dataset: Crystals, labels, split and scaler; no label outside the training part is read.
        seed: Seed of the choice of features at each split of a tree.
        groups: Groups of features.
        settings: Settings that replace those of :func:`settings_for`.
        before_each: Called before the model of each property is fitted; may raise.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    split = dataset.split
    train, val, test = (crystal_features(dataset.graphs, part, groups) for part in (split.train, split.val, split.test))
    kept = _learned_labels(dataset)
    labels = np.where(kept, dataset.targets[split.train], np.nan)
    properties = [_as_boosted(prop) for prop in dataset.properties]
    every = learned_factors(dataset.graphs, properties)
    factors = [None if every is None else every[part] for part in (split.train, split.val, split.test)]
    scaler = TargetScaler.fit(labels, properties, factors[0])
    normalised = scaler.encode(labels, factors[0])
    kept[:, [prop.task == "binary" for prop in dataset.properties]] = False
    predictions = [np.full((len(part), len(dataset.properties)), np.nan) for part in (val, test)]
    for k in np.flatnonzero(kept.sum(axis=0) >= MIN_LABELS):
        before_each()
        learned = kept[:, k]
        chosen = {**settings_for(int(learned.sum())), **(settings or {})}
        model: HistGradientBoostingRegressor = HistGradientBoostingRegressor(**chosen, random_state=seed)
        with threadpool_limits(limits=_threads(int(learned.sum())), user_api="openmp"):
            model.fit(train[learned], normalised[learned, k])
            for predicted, features in zip(predictions, (val, test), strict=True):
                predicted[:, k] = model.predict(features)
    on_val, on_test = (scaler.decode(one, by) for one, by in zip(predictions, factors[1:], strict=True))
    return BoostingPredictions(on_val, on_test, kept.sum(axis=0))


def _learned_labels(dataset: CrystalPropertyDataset) -> NDArray[np.bool_]:
    """Select the labels of the training part that a network learns, (B, P) bool."""
    train, every = dataset.split.train, learned_factors(dataset.graphs, dataset.properties)
    return dataset.scaler.training_mask(dataset.targets[train], None if every is None else every[train])


def _as_boosted(prop: Property) -> Property:
    """Return a property in the form in which gradient boosting learns it best."""
    known = next((one for one in PROPERTIES if one.key == prop.key), prop)
    return times_volume(known) if known.key in MODULI else known


def _threads(labels: int) -> int:
    """Return the threads of a fit.

    Few labels are split among threads in pieces so short that waiting for each other takes longer than the work: where
    other processes use the cores, two threads take ten times the processor time of one.
    """
    return thread_count() if labels >= _MANY_LABELS else 1
