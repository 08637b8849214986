"""What every model of crystal properties is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from phase2.data.batching import Batch, View


class CrystalModel(nn.Module, ABC):
    """Predicts P properties of each crystal of a batch.

    Attributes:
        view: The kind of batch it reads.
    """

    view: ClassVar[View]

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """Predict normalised properties, shape (B, P)."""
