"""Sums over the processes that share a batch; a process that trains alone sums nothing."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed


def is_shared() -> bool:
    """Return whether this process is one of several that share each batch, as ``torch.nn.SyncBatchNorm`` finds out."""
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def sum_across(values: Tensor) -> Tensor:
    """Sum a tensor of any shape over the processes; alone, it is returned as it is.

    For what is an input of every process's outputs, such as the statistics of a batch norm: its gradient is the sum of
    the processes' gradients.
    """
    return _SumOfAll.apply(values) if is_shared() else values


def sum_of_shares(values: Tensor) -> Tensor:
    """Sum a tensor of any shape over the processes; alone, it is returned as it is.

    For what every process goes on to use in the same way, such as the losses: the gradient of this process's share is
    that of the sum, and the gradients of the weights, summed over the processes, are those of the whole batch.
    """
    return _SumOfShares.apply(values) if is_shared() else values


class _SumOfAll(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, values: Tensor) -> Tensor:
        return _reduced(values)

    @staticmethod
    def backward(_ctx: Any, gradient: Tensor) -> Tensor:
        return _reduced(gradient)


class _SumOfShares(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, values: Tensor) -> Tensor:
        return _reduced(values)

    @staticmethod
    def backward(_ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


def _reduced(values: Tensor) -> Tensor:
    total = values.detach().clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total
