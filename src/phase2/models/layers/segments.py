"""Sums and means over the rows of a segment, such as the atoms of a crystal."""

from __future__ import annotations

import torch
from torch import Tensor


def segment_sum(values: Tensor, segment: Tensor, n: int) -> Tensor:
    """Sum rows by segment.

    Args:
        values: Rows, (N, ...).
        segment: Segment of each row, (N,) int64, below ``n``.
        n: Number of segments, B.

    Returns:
        Sums, (B, ...).
    """
    return values.new_zeros((n, *values.shape[1:])).index_add_(0, segment, values)


def segment_mean(values: Tensor, segment: Tensor, n: int, weight: Tensor | None = None) -> Tensor:
    """Average rows by segment; the mean over no row, and over rows without weight, is 0.

    Args:
        values: Rows, (N, C).
        segment: Segment of each row, (N,) int64, below ``n``.
        n: Number of segments, B.
        weight: Weight of each row, (N,); 1 if not given.

    Returns:
        Means, (B, C).
    """
    weight = values.new_ones(len(values)) if weight is None else weight.to(values.dtype)
    total = segment_sum(weight, segment, n)
    total = torch.where(total > 0, total, 1)
    return segment_sum(values * weight[:, None], segment, n) / total[:, None]
