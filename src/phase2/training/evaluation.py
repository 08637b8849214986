"""Evaluation of a model on one part of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.data.transforms import learned_factors
from phase2.models.base import CrystalModel
from phase2.runs.records.results import PropertyMetrics
from phase2.training.learner import predict
from phase2.training.loader import TrainingData, TrainingLoader
from phase2.training.metrics import evaluate, refuse_divergence
from phase2.training.objective import binary_columns, property_losses
from phase2.training.parallel.group import WorkerGroup


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Predictions of a model for one part of the data, and their errors.

    Attributes:
        predictions: Shape (B, P), float64, physical units, in the order of the part.
        metrics: By property.
        loss: Mean loss as in training, normalised units.
    """

    predictions: NDArray[np.float64]
    metrics: tuple[PropertyMetrics, ...]
    loss: float


class Evaluator:
    """Evaluator of models on parts of the data.

    Args:
        data: Crystals, labels and scaler.
        loader: Its batches.
        loss: Loss of one label.
        group: The processes that evaluate together, until they are left.
    """

    def __init__(
        self, data: TrainingData, loader: TrainingLoader, loss: Literal["huber", "l1"], group: WorkerGroup
    ) -> None:
        self._data = data
        self._loader = loader
        self._group = group
        self._loss: Literal["huber", "l1"] = loss
        self._factors = learned_factors(data.graphs, data.scaler.properties)
        self._binary = binary_columns(data.scaler.properties)

    def evaluate(self, model: CrystalModel, index: NDArray[np.int64], *, epoch: int) -> Evaluation:
        """Evaluate a model in evaluation mode on the crystals ``index``.

        Raises:
            RequestError: A prediction of this epoch's model is not finite.
        """
        normalised = self._predictions(model, index)
        refuse_divergence(normalised, what="the prediction of crystal", epoch=epoch)
        labels = torch.from_numpy(self._loader.labels[index])
        loss = property_losses(torch.from_numpy(normalised), labels, self._loss, binary=self._binary).mean().item()
        scaler, factors = self._data.scaler, None if self._factors is None else self._factors[index]
        predictions = scaler.decode(normalised, factors)
        metrics = evaluate(predictions, self._data.targets[index], scaler.properties, scaler.baseline(factors))
        return Evaluation(predictions, metrics, loss)

    def _predictions(self, model: CrystalModel, index: NDArray[np.int64]) -> NDArray[np.float32]:
        if self._group.size == 1:
            return predict(model, self._loader.in_order(index))
        rows = np.zeros((len(index), len(self._data.scaler.properties)), np.float32)
        for part in self._loader.own_parts(len(index)):
            rows[part] = predict(model, self._loader.in_order(index[part]))
        return self._group.combined(rows)
