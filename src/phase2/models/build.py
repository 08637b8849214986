"""Construction of models from their configuration."""

from __future__ import annotations

from phase2.config.foundation_models import foundation_model
from phase2.config.schema import CgcnnConfig, ModelConfig, RunConfig
from phase2.models.base import CrystalModel
from phase2.models.cgcnn import Cgcnn


def build_network(config: RunConfig, n_properties: int, mean_neighbors: float) -> CrystalModel:
    """Build the untrained model of a run, with the features of a pretrained potential where it reads them.

    Args:
        config: Configuration of the run.
        n_properties: Number of properties, P.
        mean_neighbors: Mean number of edges per atom of the training crystals.
    """
    network = build_model(config.model, n_properties, mean_neighbors, config.data.graph.cutoff)
    if config.foundation is None:
        return network
    from phase2.models.with_features import WithFeatures

    alone = config.foundation.use == "alone"
    return WithFeatures(
        config.foundation,
        foundation_model(config.foundation.name).features,
        trunk=config.model.trunk,
        n_properties=n_properties,
        network=None if alone else network,
        channels=0 if alone else network.heads.features,
    )


def build_model(config: ModelConfig, n_properties: int, mean_neighbors: float, cutoff: float) -> CrystalModel:
    """Build an untrained model; equal torch seeds give equal weights.

    To add an algorithm, write its configuration in ``config/schema.py`` and its model in a module of this package, and
    build it here.

    Args:
        config: Algorithm and its hyperparameters.
        n_properties: Number of properties, P.
        mean_neighbors: Mean number of edges per atom of the training crystals, which normalises sums over neighbours.
        cutoff: Cutoff radius of the graphs, angstrom.
    """
    if isinstance(config, CgcnnConfig):
        return Cgcnn(config, n_properties, cutoff)
    from phase2.models.equivariant import Equivariant

    return Equivariant(config, n_properties, mean_neighbors=mean_neighbors, cutoff=cutoff)
