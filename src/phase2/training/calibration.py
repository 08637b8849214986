"""Calibration of a trained model: how large its errors are, and what its training crystals look like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.data.batching import Batch
from phase2.data.graphs.geometry import packing
from phase2.data.transforms import learned_factors
from phase2.models.base import CrystalModel
from phase2.runs.records.intervals import PropertyIntervals
from phase2.training.loader import TrainingData, TrainingLoader
from phase2.uncertainty.coverage import measure_coverage
from phase2.uncertainty.estimator import UncertaintyEstimator
from phase2.uncertainty.packing_range import PackingRange


@dataclass(frozen=True, slots=True, eq=False)
class CalibratedModel:
    """Outcome of a calibration.

    Attributes:
        estimator: What the model file keeps.
        intervals: How well intervals hold on the test part, by property.
        test_novelty: Distance of the test crystals from the training crystals, (T,) float64; 1 is the distance that
            99 % of the validation crystals do not exceed.
    """

    estimator: UncertaintyEstimator
    intervals: tuple[PropertyIntervals, ...]
    test_novelty: NDArray[np.float64]


def calibrate(
    model: CrystalModel,
    data: TrainingData,
    loader: TrainingLoader,
    *,
    val: NDArray[np.float64],
    test: NDArray[np.float64],
) -> CalibratedModel:
    """Calibrate the intervals of a trained model on its validation part, and measure them on its test part.

    Args:
        model: The network, in evaluation mode.
        data: Crystals, labels, split and scaler.
        loader: Their batches.
        val: Predictions for the validation part, (V, P) float64, physical units.
        test: Predictions for the test part, (T, P) float64, physical units.
    """
    split, labels = data.split, loader.labels
    factors = learned_factors(data.graphs, data.scaler.properties)
    train, on_val, on_test = (features(model, loader.in_order(part)) for part in (split.train, split.val, split.test))
    estimator = UncertaintyEstimator.fit(
        data.scaler,
        train_features=train,
        train_labels=labels[split.train],
        val_features=on_val,
        val_labels=labels[split.val],
        val_predictions=val,
        val_factors=None if factors is None else factors[split.val],
        val_ids=data.graphs.ids[split.val].tolist(),
    )
    estimator = replace(estimator, packing=PackingRange.fit(packing(data.graphs, split.train)))
    novelty = estimator.novelty(on_test)
    measured = measure_coverage(
        estimator.calibration,
        test,
        estimator.difficulty(on_test),
        novelty,
        data.targets[split.test],
        None if factors is None else factors[split.test],
    )
    return CalibratedModel(estimator, measured, novelty)


@torch.no_grad()
def features(model: CrystalModel, batches: Iterable[Batch]) -> NDArray[np.float32]:
    """Compute what the heads of a model read of crystals, in full precision, (B, C) float32."""
    return torch.cat([model.embed(batch)[: batch.n_real].float() for batch in batches]).cpu().numpy()
