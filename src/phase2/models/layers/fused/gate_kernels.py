"""Triton kernels of gated messages summed over links, and of their gradients; nothing is summed by atomic operations.

The columns of ``z`` and ``g`` are C gates and then C cores, (f, s) = factor z + bias.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return 1 / (1 + tl.exp(-x))


@triton.jit
def softplus(x):
    """log(1 + exp(x)), to the last digits where it is small."""
    small = tl.exp(-tl.abs(x))
    rounded = 1 + small
    lost = tl.where(rounded == 1, 1.0, small / tl.where(rounded == 1, 1.0, rounded - 1))
    return tl.maximum(x, 0) + tl.where(rounded == 1, small, tl.log(rounded) * lost)


@triton.jit
def sum_gated(
    z,
    factor,
    bias,
    weight,
    bounds,
    out,
    C: tl.constexpr,
    C_TILE: tl.constexpr,
    TILE: tl.constexpr,
    TYPE: tl.constexpr,
):
    """out[i, c]: sum over links l of node i of weight[l] sigmoid(f[l, c]) softplus(s[l, c])."""
    node = tl.program_id(0).to(tl.int64)
    c, lane = tl.program_id(1) * C_TILE + tl.arange(0, C_TILE), tl.arange(0, TILE)
    inside = c < C
    gate_factor, core_factor = tl.load(factor + c, mask=inside, other=0), tl.load(factor + C + c, mask=inside, other=0)
    gate_bias, core_bias = tl.load(bias + c, mask=inside, other=0), tl.load(bias + C + c, mask=inside, other=0)
    begin, end = tl.load(bounds + node).to(tl.int64), tl.load(bounds + node + 1).to(tl.int64)
    total = tl.zeros((C_TILE,), TYPE)
    for start in range(begin, end, TILE):
        link = start + lane
        here = (link < end)[:, None] & inside[None, :]
        rows = z + link[:, None] * (2 * C) + c[None, :]
        gate = tl.load(rows, mask=here, other=0) * gate_factor[None, :] + gate_bias[None, :]
        core = tl.load(rows + C, mask=here, other=0) * core_factor[None, :] + core_bias[None, :]
        count = tl.load(weight + link, mask=link < end, other=0)
        total += tl.sum(count[:, None] * sigmoid(gate) * softplus(core), axis=0)
    tl.store(out + node * C + c, total, mask=inside)


@triton.jit(do_not_specialize=["n_links"])
def gate_gradient(
    gradient,
    z,
    factor,
    bias,
    weight,
    receiver,
    out,
    n_links,
    C: tl.constexpr,
    C_TILE: tl.constexpr,
    TILE: tl.constexpr,
):
    """out[l]: gradient by f[l] and s[l], from the gradient of the sums of the link's receiver."""
    link = tl.program_id(0).to(tl.int64) * TILE + tl.arange(0, TILE)
    c = tl.program_id(1) * C_TILE + tl.arange(0, C_TILE)
    inside, there = c < C, link < n_links
    here = there[:, None] & inside[None, :]
    gate_factor, core_factor = tl.load(factor + c, mask=inside, other=0), tl.load(factor + C + c, mask=inside, other=0)
    gate_bias, core_bias = tl.load(bias + c, mask=inside, other=0), tl.load(bias + C + c, mask=inside, other=0)
    rows = link[:, None] * (2 * C) + c[None, :]
    gate = tl.load(z + rows, mask=here, other=0) * gate_factor[None, :] + gate_bias[None, :]
    core = tl.load(z + rows + C, mask=here, other=0) * core_factor[None, :] + core_bias[None, :]
    target = tl.load(receiver + link, mask=there, other=0).to(tl.int64)
    count = tl.load(weight + link, mask=there, other=0)
    slope = tl.load(gradient + target[:, None] * C + c[None, :], mask=here, other=0) * count[:, None]
    opened = sigmoid(gate)
    tl.store(out + rows, slope * opened * (1 - opened) * softplus(core), mask=here)
    tl.store(out + rows + C, slope * opened * sigmoid(core), mask=here)


@triton.jit(do_not_specialize=["n_links"])
def unnormalise(
    g,
    z,
    share,
    factor,
    of_mean,
    of_variance,
    n_links,
    WIDTH: tl.constexpr,
    W_TILE: tl.constexpr,
    TILE: tl.constexpr,
):
    """g[l, k]: becomes factor[k] g[l, k] - share[l] (of_mean[k] + z[l, k] of_variance[k])."""
    link = tl.program_id(0).to(tl.int64) * TILE + tl.arange(0, TILE)
    k = tl.program_id(1) * W_TILE + tl.arange(0, W_TILE)
    inside, there = k < WIDTH, link < n_links
    here = there[:, None] & inside[None, :]
    rows = link[:, None] * WIDTH + k[None, :]
    counted = tl.load(share + link, mask=there, other=0)[:, None]
    through = tl.load(z + rows, mask=here, other=0) * tl.load(of_variance + k, mask=inside, other=0)[None, :]
    through += tl.load(of_mean + k, mask=inside, other=0)[None, :]
    direct = tl.load(g + rows, mask=here, other=0) * tl.load(factor + k, mask=inside, other=0)[None, :]
    tl.store(g + rows, direct - counted * through, mask=here)
