"""The baselines of a run: gradient boosting beside the median, on the run's split."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.baselines.boosting import MIN_LABELS, predict_by_boosting, settings_for, sklearn_version
from phase2.baselines.cache import cached_baselines
from phase2.baselines.features import DEFAULT_GROUPS, VERSION
from phase2.config.levels import SEED
from phase2.config.settings import cache_dir
from phase2.data.dataset import CrystalPropertyDataset
from phase2.data.store.files import READING
from phase2.data.transforms import learned_factors
from phase2.errors import Phase2Error
from phase2.machine.headroom import free_memory
from phase2.runs.records.baselines import PropertyBaseline

LIBRARIES, PER_CRYSTAL = 95_000_000, 6_000
"""Memory of scikit-learn and of the features of a training crystal, bytes."""
FOLDER = "baselines"
"""Folder of cached baselines inside the cache folder."""


def fit_baselines(
    dataset: CrystalPropertyDataset,
    *,
    notify: Callable[[str], None],
    check_stop: Callable[[], None] = lambda: None,
    cache: Path | None = None,
) -> tuple[PropertyBaseline, ...]:
    """Return the errors of the baselines, cached or computed; none for properties with fewer than 20 training labels.

    They depend on the data alone: all seeds of an ensemble or sweep are compared with the same ones, fitted once.
    A baseline costs no run: where scikit-learn is missing or fails, or memory is short, ``notify`` receives the reason.

    Args:
        dataset: Data of the run.
        notify: Callback receiving one line for the user.
        check_stop: Called before each model is fitted; raises to stop.
        cache: Folder of caches; the user's by default.

    Raises:
        PreemptedError: ``check_stop`` raised it.
    """
    if find_spec("sklearn") is None:
        notify("No gradient boosting beside the network: scikit-learn is not installed. pip install 'phase2[train]'.")
        return ()

    def compute() -> tuple[PropertyBaseline, ...]:
        _refuse_small_memory(len(dataset.split.train))
        notify(f"fitting gradient boosting to compare with, on {len(dataset.split.train):,} crystals")
        return _compute(dataset, check_stop)

    try:
        folder = (cache or cache_dir()) / FOLDER
        return cached_baselines(folder, _key(dataset), compute, notify=notify)
    except Phase2Error:
        raise
    except Exception as error:  # noqa: BLE001 - a baseline must not cost a trained run
        notify(f"No gradient boosting beside the network: it failed with {type(error).__name__}: {error}")
        return ()


def _refuse_small_memory(crystals: int) -> None:
    """Raise before the system would kill the process."""
    needed, free = LIBRARIES + PER_CRYSTAL * crystals, free_memory()
    if free is not None and free < needed:
        raise MemoryError(f"it needs {needed >> 20} MiB, and the memory limit leaves {max(0, free) >> 20} MiB")


def _key(dataset: CrystalPropertyDataset) -> str:
    """Return the SHA-256 of everything that the baselines depend on; the properties are in the data's fingerprint.

    Which labels are outliers, and not learned, depends on the form in which the network learns them.
    """
    settings = [dict(settings_for(labels)) for labels in dataset.label_counts()["train"].values()]
    forms = [prop.learned_as for prop in dataset.properties]
    facts = [VERSION, READING, dataset.fingerprint, forms, SEED, DEFAULT_GROUPS, settings, sklearn_version()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _compute(dataset: CrystalPropertyDataset, check_stop: Callable[[], None]) -> tuple[PropertyBaseline, ...]:
    predicted = predict_by_boosting(dataset, seed=SEED, before_each=check_stop)
    val, test = (dataset.targets[part] for part in (dataset.split.val, dataset.split.test))
    factors = learned_factors(dataset.graphs, dataset.properties)
    median = np.broadcast_to(dataset.scaler.baseline(factors), dataset.targets.shape)
    on_val, on_test = median[dataset.split.val], median[dataset.split.test]
    return tuple(
        PropertyBaseline(
            key=prop.key,
            unit=prop.unit,
            train_labels=int(predicted.train_labels[k]),
            median_val_mae=mean_absolute_error(on_val[:, k], val[:, k]),
            median_test_mae=mean_absolute_error(on_test[:, k], test[:, k]),
            boosting_val_mae=mean_absolute_error(predicted.val[:, k], val[:, k]),
            boosting_test_mae=mean_absolute_error(predicted.test[:, k], test[:, k]),
        )
        for k, prop in enumerate(dataset.properties)
        if predicted.train_labels[k] >= MIN_LABELS
    )


def mean_absolute_error(predicted: NDArray[np.float64] | float, labels: NDArray[np.float64]) -> float | None:
    """Return the mean absolute error over the labels that are there; None without any, or where it overflows."""
    present = ~np.isnan(labels)
    if not present.any():
        return None
    error = float(np.abs(predicted - labels)[present].mean())
    return error if math.isfinite(error) else None
