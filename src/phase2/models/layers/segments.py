"""Sums over the rows of a segment, such as the atoms of a crystal."""

from __future__ import annotations

from torch import Tensor


def segment_sum(values: Tensor, segment: Tensor, n: int) -> Tensor:
    """Add up rows by segment: (N, ...) values and (N,) segment numbers below ``n`` give (n, ...)."""
    return values.new_zeros((n, *values.shape[1:])).index_add_(0, segment, values)


def segment_mean(values: Tensor, segment: Tensor, n: int, weight: Tensor | None = None) -> Tensor:
    """Average rows by segment, optionally weighted with (N,) numbers; every segment must have a row."""
    weight = values.new_ones(len(values)) if weight is None else weight.to(values.dtype)
    total = segment_sum(weight, segment, n)
    return segment_sum(values * weight[:, None], segment, n) / total[:, None]
