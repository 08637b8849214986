"""Gated messages summed over links by Triton kernels, which hold no message of a link in memory."""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from phase2.models.layers.fused.driver import use_prebuilt_driver
from phase2.models.layers.fused.gate_kernels import gate_gradient, sum_gated, unnormalise

CHANNELS = 32
"""Channels of a program."""
LINKS = 16
"""Links that a program has at once."""

use_prebuilt_driver()


def fused_gated_sum(z: Tensor, factor: Tensor, bias: Tensor, weight: Tensor, received: Tensor) -> Tensor:
    """Sum weight * sigmoid(f) * softplus(s) over the links of each node, with (f, s) = factor * z + bias.

    Args:
        z: Centred columns of the links, (L, 2 C).
        factor: Factors of the columns, (2 C,).
        bias: Biases of the columns, (2 C,).
        weight: Weight of each link, (L,).
        received: Offsets of each node's links, (N + 1,) int32.

    Returns:
        Sums, (N, C).
    """
    n, channels = len(received) - 1, z.shape[1] // 2
    out = z.new_empty((n, channels))
    if n:
        sum_gated[n, triton.cdiv(channels, CHANNELS)](
            *(z, factor, bias, weight, received, out),
            C=channels,
            C_TILE=CHANNELS,
            TILE=LINKS,
            TYPE=tl.float64 if z.dtype == torch.float64 else tl.float32,
            enable_fp_fusion=True,
        )
    return out


def fused_gate_gradient(
    gradient: Tensor, z: Tensor, factor: Tensor, bias: Tensor, weight: Tensor, receiver: Tensor
) -> Tensor:
    """Return the gradient by (f, s) of each link, (L, 2 C), from that of the sums, (N, C)."""
    out = torch.empty_like(z)
    if len(z):
        gate_gradient[_grid(z, z.shape[1] // 2)](
            *(gradient, z, factor, bias, weight, receiver, out, len(z)),
            C=z.shape[1] // 2,
            C_TILE=CHANNELS,
            TILE=LINKS,
            enable_fp_fusion=True,
        )
    return out


def unnormalised(g: Tensor, z: Tensor, share: Tensor, factor: Tensor, of_mean: Tensor, of_variance: Tensor) -> Tensor:
    """Turn the gradient by the normalised columns, (L, 2 C), into that by the columns, in its memory.

    Args:
        g: The gradient, (L, 2 C); overwritten.
        z: Centred columns of the links, (L, 2 C).
        share: Share of each link in the statistics, (L,).
        factor: Factors of the columns, (2 C,).
        of_mean: What each link with a share of 1 loses through the mean, (2 C,).
        of_variance: The same through the variance, for each unit of z, (2 C,).
    """
    if len(z):
        unnormalise[_grid(z, z.shape[1])](
            *(g, z, share, factor, of_mean, of_variance, len(z)),
            WIDTH=z.shape[1],
            W_TILE=CHANNELS,
            TILE=LINKS,
            enable_fp_fusion=True,
        )
    return g


def _grid(z: Tensor, columns: int) -> tuple[int, int]:
    return triton.cdiv(len(z), LINKS), triton.cdiv(columns, CHANNELS)
