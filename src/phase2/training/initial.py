"""The model of a run before its first step: drawn weights, or those of the model that it starts from."""

from __future__ import annotations

import torch

from phase2.config.schema import RunConfig
from phase2.models.base import CrystalModel
from phase2.models.build import build_network
from phase2.models.with_features import WithFeatures
from phase2.training.fine_tuning.start import StartingPoint
from phase2.training.loader import TrainingData, mean_neighbors
from phase2.training.seeding import seed_everything


def initial_model(
    config: RunConfig, data: TrainingData, *, start: StartingPoint | None, device: torch.device
) -> CrystalModel:
    """Seed every random generator, and build the model of a run.

    Args:
        config: The run.
        data: Its data, with the features of a pretrained potential where it reads them.
        start: What it takes over from a trained model; None where its weights are drawn.
        device: Device of the model.

    Raises:
        ModelFileError: The model that it starts from is of another network.
    """
    seed_everything(config.seed, device)
    properties = [p.key for p in data.scaler.properties]
    neighbors = start.lineage.mean_neighbors if start else mean_neighbors(data.graphs, data.split.train)
    model = build_network(config, len(properties), neighbors).to(device)
    if isinstance(model, WithFeatures) and data.features is not None:
        model.fit_features(data.features[data.split.train])
    if start is not None:
        start.initialise(model, properties)
    return model
