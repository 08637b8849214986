"""Models by their configuration."""

from __future__ import annotations

from phase2.config.schema import CgcnnConfig, ModelConfig
from phase2.models.base import CrystalModel
from phase2.models.cgcnn import Cgcnn


def build_model(config: ModelConfig, n_properties: int, mean_neighbors: float, cutoff: float) -> CrystalModel:
    """Make an untrained model; equal torch seeds give equal weights.

    Args:
        config: Kind and size.
        n_properties: P.
        mean_neighbors: Edges per atom, averaged over the training crystals, which normalises sums over neighbours.
        cutoff: Longest edge of the graphs, angstrom.
    """
    if isinstance(config, CgcnnConfig):
        return Cgcnn(config, n_properties, cutoff)
    from phase2.models.equivariant import Equivariant

    return Equivariant(config, n_properties, mean_neighbors=mean_neighbors, cutoff=cutoff)
