"""Interface of the models of crystal properties."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from phase2.config.settings import Kernels
from phase2.data.batching import Batch, View
from phase2.models.heads import PropertyHeads


class CrystalModel(nn.Module, ABC):
    """Network that predicts P properties of each crystal of a batch.

    Attributes:
        view: Kind of batch that the network reads.
        heads: From the features of a crystal to its properties.
        implementations: What can compute its inner sums.
        kernels: What computes them.
    """

    view: View
    heads: PropertyHeads
    implementations: ClassVar[tuple[Kernels, ...]] = ("plain",)
    kernels: Kernels = "plain"

    @abstractmethod
    def embed(self, batch: Batch) -> Tensor:
        """Compute the features of the crystals that the heads read, (B, C) float32."""

    def forward(self, batch: Batch) -> Tensor:
        """Predict normalised properties, (B, P) float32."""
        predictions: Tensor = self.heads(self.embed(batch))
        return predictions
