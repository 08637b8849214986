"""Readout: from the features of a crystal to its properties."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PropertyHeads(nn.Module):
    """Shared trunk with one small network per property on top.

    The heads are evaluated together, as one matrix product and one weighted sum. Their last weights start at zero, so
    an untrained network predicts 0, the mean of the normalised labels, for every crystal.

    Args:
        features: Channels per crystal, C.
        trunk: Width of the shared layer.
        n_properties: Number of properties, P.
    """

    def __init__(self, features: int, trunk: int, n_properties: int) -> None:
        super().__init__()
        self.features = features
        self.n_properties = n_properties
        hidden = max(1, trunk // 2)
        self.trunk = nn.Sequential(nn.Linear(features, trunk), nn.SiLU())
        self.hidden = nn.Sequential(nn.Linear(trunk, n_properties * hidden), nn.SiLU())
        self.weight = nn.Parameter(torch.zeros(n_properties, hidden))
        self.bias = nn.Parameter(torch.zeros(n_properties))

    def forward(self, crystals: Tensor) -> Tensor:
        """Map the features of crystals, (B, C) float32, to normalised properties, (B, P) float32."""
        hidden = self.hidden(self.trunk(crystals)).view(-1, *self.weight.shape)
        predictions: Tensor = (hidden * self.weight).sum(dim=-1) + self.bias
        return predictions
