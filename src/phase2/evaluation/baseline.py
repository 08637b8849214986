"""Baselines that a model is compared with on any data: the median, and gradient boosting fitted to the same labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from phase2.baselines.boosting import predict_by_boosting
from phase2.config.levels import SEED
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.splits.split import Split
from phase2.data.targets import TargetScaler
from phase2.data.transforms import learned_factors
from phase2.errors import ModelFileError
from phase2.runs.layout import MANIFEST
from phase2.runs.records.manifest import read_manifest

if TYPE_CHECKING:
    from phase2.data.dataset import CrystalPropertyDataset
    from phase2.evaluation.data import LabelledData
    from phase2.properties import Property


@dataclass(frozen=True, slots=True, eq=False)
class Boosting:
    """Gradient boosting beside a model.

    Attributes:
        where: Where its errors come from, or why there are none.
        predicted: Its predictions, (B, P) float64, NaN where it has none; None where only errors are recorded.
        recorded: Recorded MAE by property.
    """

    where: str
    predicted: NDArray[np.float64] | None
    recorded: dict[str, float]


def median_predictions(scaler: TargetScaler, data: LabelledData) -> NDArray[np.float64]:
    """Predict the median of the training labels for every crystal, (B, P) float64, in the properties' units.

    Of values per cell or per volume it is the median per atom, times the atoms of a cell or of a cubic angstrom; of a
    binary property the share of those that are true.
    """
    factors = _factors(data, scaler.properties)
    return scaler.baseline(np.ones((len(data.index), len(scaler.properties))) if factors is None else factors)


def own_medians(data: LabelledData, properties: Sequence[Property]) -> NDArray[np.float64]:
    """Predict the same of the labels themselves, (B, P) float64; NaN of a property without a label."""
    known = [bool(np.isfinite(column).any()) for column in data.labels.T]
    factors = _factors(data, properties)
    labelled = [p for p, is_known in zip(properties, known, strict=True) if is_known]
    scaler = TargetScaler.fit(data.labels[:, known], labelled, None if factors is None else factors[:, known])
    found = np.full(data.labels.shape, np.nan)
    found[:, known] = median_predictions(scaler, data)
    return found


def _factors(data: LabelledData, properties: Sequence[Property]) -> NDArray[np.float64] | None:
    factors = learned_factors(data.store.graphs, properties)
    return None if factors is None else factors[data.index]


def fitted_boosting(trained: CrystalPropertyDataset, data: LabelledData, keys: Sequence[str]) -> Boosting:
    """Fit gradient boosting to the training crystals of a model, and predict other crystals with it."""
    train, part = trained.split.train, data.store.graphs.take(data.index)
    both = PackedGraphs.concatenate([trained.graphs.take(train), part])
    rows = np.arange(len(train)), len(train) + np.arange(len(part))
    targets = np.concatenate([trained.targets[train], np.full((len(part), len(trained.properties)), np.nan)])
    joined = replace(
        trained,
        graphs=both,
        targets=targets,
        split=Split(train=rows[0], val=rows[1], test=rows[1][:1]),
    )
    known = [p.key for p in trained.properties]
    predicted = predict_by_boosting(joined, seed=SEED).val[:, [known.index(key) for key in keys]]
    return Boosting(f"fitted to the {len(train):,} training crystals of the model", predicted, {})


def recorded_boosting(model_file: Path, part: str) -> Boosting:
    """Return the errors of gradient boosting that a run recorded for a part of its own data."""
    try:
        manifest = read_manifest(model_file.parent / MANIFEST)
    except ModelFileError:
        return Boosting("not known: the model file lies apart from its run", None, {})
    errors = {one.key: one.boosting_val_mae if part == "val" else one.boosting_test_mae for one in manifest.baselines}
    found = {key: error for key, error in errors.items() if error is not None}
    if not found or part not in ("val", "test"):
        return Boosting("not recorded by the run for this part; --boosting fits it", None, {})
    return Boosting("as the run recorded them", None, found)
