"""Interface of the models of crystal properties."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from phase2.data.batching import Batch, View


class CrystalModel(nn.Module, ABC):
    """Network that predicts P properties of each crystal of a batch.

    Attributes:
        view: Kind of batch that the network reads.
    """

    view: ClassVar[View]

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """Predict normalised properties, shape (B, P), float32."""
