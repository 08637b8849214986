"""Best model of a training so far, and its file."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from phase2.config.schema import RunConfig
from phase2.models.base import CrystalModel
from phase2.models.files.modelfile import TrainedModel, copy_tensors, load_tensors, save_model_file
from phase2.runs.records.history import EpochRow, best_row
from phase2.runs.records.lineage import Lineage
from phase2.training.loader import TrainingData, mean_neighbors, species_in
from phase2.uncertainty.estimator import UncertaintyEstimator


class BestModel:
    """Copy of the model with the best score so far, written to a file when it has changed.

    Args:
        model: The untrained model, in evaluation mode.
        path: The model file.
        config: The run.
        data: Training data.
        run_id: Name of the run.
        lineage: What it started from; None for random weights.

    Attributes:
        model: The copy.
    """

    def __init__(
        self,
        model: CrystalModel,
        path: Path,
        *,
        config: RunConfig,
        data: TrainingData,
        run_id: str,
        lineage: Lineage | None = None,
    ) -> None:
        self.model = copy.deepcopy(model)
        self._tensors = copy_tensors(model)
        self._written_epoch: int | None = None
        self._path = path
        self._config = config
        self._scaler = data.scaler
        seen = species_in(data.graphs, data.split.train)
        self._species = tuple(sorted({*seen, *(lineage.species if lineage else ())}))
        self._mean_neighbors = lineage.mean_neighbors if lineage else mean_neighbors(data.graphs, data.split.train)
        self._lineage = lineage
        self._features_digest = data.features_digest
        self._run_id = run_id

    def take(self, tensors: dict[str, Tensor]) -> None:
        """Replace the weights by these, which must not be changed afterwards.

        Raises:
            ModelFileError: They belong to another model.
        """
        load_tensors(self.model, tensors)
        self._tensors = tensors

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights, for the checkpoint; not to be changed."""
        return self._tensors

    def write(self, tensors: Mapping[str, Tensor], history: Sequence[EpochRow]) -> None:
        """Write the file of the best model of a history, unless it is up to date or no epoch is finished yet.

        May be called from another thread than the training: it computes nothing. A second thread that computes would
        start its own OpenMP team, and the two would compete for the cores for the rest of the process.

        Args:
            tensors: Weights of the best model.
            history: Rows of the finished epochs.
        """
        best = best_row(history)
        if best is not None and best.epoch != self._written_epoch:
            save_model_file(self._path, self._trained(best), tensors)
            self._written_epoch = best.epoch

    def complete(self, history: Sequence[EpochRow], uncertainty: UncertaintyEstimator) -> TrainedModel:
        """Write the file of the finished training, with what is known about its errors, and return its content."""
        trained = replace(self.trained(history), uncertainty=uncertainty)
        save_model_file(self._path, trained, self._tensors)
        return trained

    def trained(self, history: Sequence[EpochRow]) -> TrainedModel:
        """Return the model with its metadata, after at least one epoch."""
        best = best_row(history)
        assert best is not None  # noqa: S101 - there is no trained model before the first epoch
        return self._trained(best)

    def _trained(self, best: EpochRow) -> TrainedModel:
        return TrainedModel(
            model=self.model,
            config=self._config,
            properties=self._scaler.properties,
            scaler=self._scaler,
            species=self._species,
            mean_neighbors=self._mean_neighbors,
            run_id=self._run_id,
            epoch=best.epoch,
            score=best.val_score,
            lineage=self._lineage,
            features_digest=self._features_digest,
        )
