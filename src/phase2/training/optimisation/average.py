"""Averaged weights of a model."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from phase2.models.base import CrystalModel


class AveragedModel:
    """Exponential moving average of a model's weights and running statistics: what is evaluated and kept.

    In step t (from 1) the average moves by 1 - min(decay, (1 + t) / (10 + t)) of the way to the model, so that a short
    run is not dominated by its untrained weights.

    Attributes:
        module: The averaged model, in evaluation mode.
    """

    def __init__(self, model: CrystalModel, decay: float) -> None:
        self.module = copy.deepcopy(model).eval().requires_grad_(requires_grad=False)
        self._decay = decay
        self._of_step = decay
        self._share: Tensor | None = None
        self._averaged = list(_floating(self.module))
        self._current = list(_floating(model))

    def make_recordable(self, device: torch.device) -> None:
        """Keep the decay on the device, where recorded steps read it."""
        self._share = torch.tensor(1 - self._of_step, device=device)

    def begin(self, step: int) -> None:
        """Set the decay to that of step ``step``, counted from 1."""
        self._of_step = min(self._decay, (1 + step) / (10 + step))
        if self._share is not None:
            self._share.fill_(1 - self._of_step)

    @torch.no_grad()
    def update(self) -> None:
        """Update the average with the weights after the step that was begun."""
        if self._share is None:
            get_ema_multi_avg_fn(self._of_step)(self._averaged, self._current, 0)  # type: ignore[no-untyped-call]
            return
        for averaged, current in zip(self._averaged, self._current, strict=True):
            averaged.lerp_(current, self._share)


def _floating(model: nn.Module) -> Iterator[Tensor]:
    """Return everything that training changes; integer buffers (counts, indices) are constants of the models."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            yield tensor.detach()
