"""Models that read the features of a pretrained potential, beside their own network or instead of it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from phase2.config.schema import FoundationConfig
from phase2.data.batching import Batch, View
from phase2.models.base import CrystalModel
from phase2.models.heads import PropertyHeads


class WithFeatures(CrystalModel):
    """Heads on features of a pretrained potential, projected, and on those of a network.

    The features are standardised with the mean and standard deviation of the training crystals; an unknown one is
    the mean. The projection ends in a layer norm, so that it has the scale of a network's output.

    Args:
        config: The potential and the width of the projection.
        n_features: Features of the potential, F.
        trunk: Width of the layer that the heads share.
        n_properties: Number of properties, P.
        network: The network whose features are read beside; its own heads are dropped. None reads the others alone.
        channels: Features of the network, C.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        config: FoundationConfig,
        n_features: int,
        *,
        trunk: int,
        n_properties: int,
        network: CrystalModel | None,
        channels: int,
    ) -> None:
        super().__init__()
        self.view: View = "quotient" if network is None else network.view
        self.network = network
        if network is not None:
            del network.heads
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("std", torch.ones(n_features))
        self.project = nn.Sequential(nn.Linear(n_features, config.width), nn.LayerNorm(config.width))
        self.heads = PropertyHeads(channels + config.width, trunk, n_properties)

    @torch.no_grad()
    def fit_features(self, features: NDArray[np.float32]) -> None:
        """Take mean and standard deviation over the training crystals, (B, F) float32, NaN for unknown ones."""
        rows = features[np.isfinite(features).all(axis=1)].astype(np.float64)
        if len(rows):
            std = rows.std(axis=0)
            self.mean.copy_(torch.from_numpy(rows.mean(axis=0)))
            self.std.copy_(torch.from_numpy(np.where(std > 1e-6, std, 1.0)))

    def embed(self, batch: Batch) -> Tensor:
        """Concatenate the network's features and the projected ones of the potential, (B, C + width) float32."""
        assert batch.features is not None  # noqa: S101 - whoever builds a batch for this model gives them
        known = torch.nan_to_num((batch.features - self.mean) / self.std)
        projected: Tensor = self.project(known)
        return projected if self.network is None else torch.cat([self.network.embed(batch), projected], dim=1)
