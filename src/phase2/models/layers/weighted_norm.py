"""Batch norm over weighted rows, each standing for several equal rows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phase2.models.layers.across import sum_across


class WeightedBatchNorm(nn.Module):
    """Batch norm (Ioffe & Szegedy 2015) in which row r counts ``weight[r]`` times.

    Equal to ``torch.nn.BatchNorm1d`` on the rows repeated ``weight`` times: outputs, gradients and running statistics
    (with the unbiased variance of the full count). Where several processes share a batch, the statistics are those of
    the whole batch, on a CPU too, where ``torch.nn.SyncBatchNorm`` does not run.

    Args:
        features: Channels, C.
        eps: Added to the variance.
        momentum: Weight of the new batch in the running statistics.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, features: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(features))
        self.bias = nn.Parameter(torch.zeros(features))
        self.register_buffer("running_mean", torch.zeros(features))
        self.register_buffer("running_var", torch.ones(features))

    def forward(self, rows: Tensor, count: Tensor) -> Tensor:
        """Normalise rows, (N, C), that count ``count`` times, (N,)."""
        with torch.autocast(rows.device.type, enabled=False):
            mean, variance = self._statistics(rows.to(self.weight.dtype), count)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return torch.addcmul(self.bias - mean * scale, rows, scale)

    def _statistics(self, rows: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
        if not self.training:
            return self.running_mean, self.running_var
        total = sum_across(count.sum())
        share = (count / total)[None]
        mean = sum_across((share @ rows)[0])
        variance = sum_across((share @ (rows - mean).square())[0])
        # A single row that counts once has no variance, as in a batch of one crystal with one atom. The number is not
        # read: a GPU would have to finish before the CPU could go on.
        single = total <= 1
        mean = torch.where(single, self.running_mean, mean)
        variance = torch.where(single, self.running_var, variance)
        self.update_running_statistics(mean, variance, total)
        return mean, variance

    @torch.no_grad()
    def update_running_statistics(self, mean: Tensor, variance: Tensor, total: Tensor) -> None:
        """Update the running statistics with the mean and variance, (C,) each, of a batch of ``total`` rows."""
        self.running_mean.lerp_(mean, self.momentum)
        unbiased = variance * (total / (total - 1).clamp(min=1))
        self.running_var.lerp_(unbiased, self.momentum)
