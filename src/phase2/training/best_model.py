"""The best model of a training so far, and its file."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from phase2.config.schema import RunConfig
from phase2.models.base import CrystalModel
from phase2.models.modelfile import LoadedModel, load_tensors, save_model_file, tensors_of
from phase2.runs.history import EpochRow, best_row
from phase2.training.examples import TrainingData, mean_neighbors, species_in


class BestModel:
    """A copy of the model with the best score so far, written to ``best.pt`` when it has changed.

    Args:
        model: The untrained model, in evaluation mode.
        path: The model file.
        config: The run.
        data: What it is trained on.
        run_id: Name of the run.

    Attributes:
        model: The copy.
    """

    def __init__(self, model: CrystalModel, path: Path, *, config: RunConfig, data: TrainingData, run_id: str) -> None:
        self.model = copy.deepcopy(model)
        self._path = path
        self._config = config
        self._scaler = data.scaler
        self._species = species_in(data.graphs, data.split.train)
        self._mean_neighbors = mean_neighbors(data.graphs, data.split.train)
        self._run_id = run_id
        self._is_saved = True  # there is nothing to save before the first epoch

    def take(self, tensors: Mapping[str, Tensor]) -> None:
        """Become the model with these weights.

        Raises:
            ModelFileError: They belong to another model.
        """
        load_tensors(self.model, tensors)
        self._is_saved = False

    def tensors(self) -> dict[str, Tensor]:
        """Copy its weights, for the checkpoint."""
        return tensors_of(self.model)

    def save(self, history: Sequence[EpochRow]) -> None:
        """Write the model file, unless it is up to date or no epoch is finished yet."""
        if history and not self._is_saved:
            save_model_file(self._path, self.trained(history))
            self._is_saved = True

    def trained(self, history: Sequence[EpochRow]) -> LoadedModel:
        """The model and what belongs to it, after at least one epoch."""
        best = best_row(history)
        assert best is not None  # noqa: S101 - there is no trained model before the first epoch
        return LoadedModel(
            model=self.model,
            config=self._config,
            properties=self._scaler.properties,
            scaler=self._scaler,
            species=self._species,
            mean_neighbors=self._mean_neighbors,
            run_id=self._run_id,
            epoch=best.epoch,
            score=best.val_score,
        )
