"""Optimiser, learning rate schedule and averaged weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.swa_utils import get_ema_multi_avg_fn

from phase2.config.schema import TrainingConfig
from phase2.models.base import CrystalModel
from phase2.training.balancing import Balancer


def make_optimizer(model: nn.Module, balancer: Balancer, config: TrainingConfig) -> AdamW:
    """Make AdamW (Loshchilov & Hutter 2019) with weight decay for matrices, not for biases, norms and loss weights."""
    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2]
    others = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": [*others, *balancer.parameters()], "weight_decay": 0.0},
    ]
    return AdamW([g for g in groups if g["params"]], lr=config.lr, fused=True)


def learning_rate(step: int, steps: int, config: TrainingConfig) -> float:
    """Return the learning rate of one step: linear warm-up, then cosine decay to zero (Loshchilov & Hutter 2017).

    A pure function of the step, so a resumed run has no schedule to restore.

    Args:
        step: Counted from 0.
        steps: Steps of the whole run.
        config: Peak rate and warm-up share.
    """
    warmup = round(config.warmup * steps)
    if step < warmup:
        return config.lr * (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(1, steps - warmup)
    return config.lr * 0.5 * (1 + math.cos(math.pi * progress))


def set_learning_rate(optimizer: AdamW, rate: float) -> None:
    """Set the learning rate of all parameter groups."""
    for group in optimizer.param_groups:
        group["lr"] = rate


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
        self._averaged = list(_floating(self.module))
        self._current = list(_floating(model))

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Update the average with the weights after step ``step``, counted from 1."""
        average = get_ema_multi_avg_fn(min(self._decay, (1 + step) / (10 + step)))  # type: ignore[no-untyped-call]
        average(self._averaged, self._current, 0)


def clip_gradients(parameters: Iterable[Tensor], most: float) -> None:
    """Scale gradients down to a norm of ``most`` over all parameters (Pascanu et al. 2013)."""
    nn.utils.clip_grad_norm_(parameters, most)


def _floating(model: nn.Module) -> Iterator[Tensor]:
    """Return everything that training changes; integer buffers (counts, indices) are constants of the models."""
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.is_floating_point():
            yield tensor.detach()
