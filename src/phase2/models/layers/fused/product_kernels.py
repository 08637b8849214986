"""Triton kernels of the tensor product summed over neighbours, and of its gradients.

Each program owns a few channels of one row of its result and adds up what belongs to it in a fixed order: there are no
atomic sums, and equal inputs give equal results. All arrays are flat rows; a table of whole numbers says where the
parts of each path are in them.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def sum_messages(
    features,
    weights,
    blocks,
    sender,
    bounds,
    jobs,
    out,
    FEATURES: tl.constexpr,
    WEIGHTS: tl.constexpr,
    BLOCKS: tl.constexpr,
    OUT: tl.constexpr,
    Q: tl.constexpr,
    Q_TILE: tl.constexpr,
    C_TILE: tl.constexpr,
    TILE: tl.constexpr,
    TYPE: tl.constexpr,
):
    """out[i, k, c]: sum over bonds b of atom i and over m of blocks[b, m, k] weights[b, c] features[sender b, m, c]."""
    atom = tl.program_id(0).to(tl.int64)
    job = jobs + tl.program_id(1) * 8
    p, channels, first = tl.load(job), tl.load(job + 1), tl.load(job + 2)
    of_feature, of_weight, of_block = tl.load(job + 3), tl.load(job + 4), tl.load(job + 5)
    of_out, stride = tl.load(job + 6), tl.load(job + 7)
    c, k, lane = first + tl.arange(0, C_TILE), tl.arange(0, Q_TILE), tl.arange(0, TILE)
    begin, end = tl.load(bounds + atom), tl.load(bounds + atom + 1)
    total = tl.zeros((Q_TILE, C_TILE), TYPE)
    for start in range(begin, end, TILE):
        bond = start + lane
        here = bond < end
        of_channel = here[:, None] & (c < channels)[None, :]
        of_component = here[:, None] & (k < Q)[None, :]
        row = tl.load(sender + bond, mask=here, other=0)
        weight = tl.load(weights + bond[:, None] * WEIGHTS + of_weight + c[None, :], mask=of_channel, other=0).to(TYPE)
        for m in range(p):
            sent = features + row[:, None] * FEATURES + of_feature + m * channels + c[None, :]
            message = tl.load(sent, mask=of_channel, other=0).to(TYPE) * weight
            entries = blocks + bond[:, None] * BLOCKS + of_block + m * Q + k[None, :]
            block = tl.load(entries, mask=of_component, other=0).to(TYPE)
            total += tl.sum(block[:, :, None] * message[:, None, :], axis=0)
    tl.store(
        out + atom * OUT + of_out + k[:, None] * stride + c[None, :],
        total,
        mask=(k < Q)[:, None] & (c < channels)[None, :],
    )


@triton.jit(do_not_specialize=["n_bonds"])
def weight_gradient(
    features,
    gradient,
    blocks,
    sender,
    receiver,
    jobs,
    out,
    n_bonds,
    FEATURES: tl.constexpr,
    WEIGHTS: tl.constexpr,
    BLOCKS: tl.constexpr,
    OUT: tl.constexpr,
    Q: tl.constexpr,
    Q_TILE: tl.constexpr,
    C_TILE: tl.constexpr,
    TILE: tl.constexpr,
    TYPE: tl.constexpr,
):
    """out[b, c]: sum over m and k of features[sender b, m, c] blocks[b, m, k] gradient[receiver b, k, c]."""
    job = jobs + tl.program_id(1) * 8
    p, channels, first = tl.load(job), tl.load(job + 1), tl.load(job + 2)
    of_feature, of_weight, of_block = tl.load(job + 3), tl.load(job + 4), tl.load(job + 5)
    of_out, stride = tl.load(job + 6), tl.load(job + 7)
    c, k = first + tl.arange(0, C_TILE), tl.arange(0, Q_TILE)
    bond = tl.program_id(0).to(tl.int64) * TILE + tl.arange(0, TILE)
    here = bond < n_bonds
    of_channel = here[:, None] & (c < channels)[None, :]
    of_component = here[:, None] & (k < Q)[None, :]
    row = tl.load(sender + bond, mask=here, other=0)
    target = tl.load(receiver + bond, mask=here, other=0)
    slopes = gradient + target[:, None, None] * OUT + of_out + k[None, :, None] * stride + c[None, None, :]
    slope = tl.load(slopes, mask=of_component[:, :, None] & of_channel[:, None, :], other=0).to(TYPE)
    total = tl.zeros((TILE, C_TILE), TYPE)
    for m in range(p):
        sent = features + row[:, None] * FEATURES + of_feature + m * channels + c[None, :]
        feature = tl.load(sent, mask=of_channel, other=0).to(TYPE)
        entries = blocks + bond[:, None] * BLOCKS + of_block + m * Q + k[None, :]
        block = tl.load(entries, mask=of_component, other=0).to(TYPE)
        total += feature * tl.sum(block[:, :, None] * slope, axis=1)
    tl.store(out + bond[:, None] * WEIGHTS + of_weight + c[None, :], total, mask=of_channel)


@triton.jit
def feature_gradient(
    weights,
    gradient,
    blocks,
    receiver,
    sent,
    bounds,
    jobs,
    terms,
    out,
    FEATURES: tl.constexpr,
    WEIGHTS: tl.constexpr,
    BLOCKS: tl.constexpr,
    OUT: tl.constexpr,
    P: tl.constexpr,
    P_TILE: tl.constexpr,
    C_TILE: tl.constexpr,
    TILE: tl.constexpr,
    TYPE: tl.constexpr,
):
    """out[j, m, c]: sum over j's sent bonds b, paths and k of weights[b, c] blocks[b, m, k] slope[receiver b, k, c]."""
    atom = tl.program_id(0).to(tl.int64)
    job = jobs + tl.program_id(1) * 8
    channels, first, of_feature = tl.load(job + 1), tl.load(job + 2), tl.load(job + 3)
    first_term, last_term = tl.load(job + 4), tl.load(job + 5)
    c, m, lane = first + tl.arange(0, C_TILE), tl.arange(0, P_TILE), tl.arange(0, TILE)
    begin, end = tl.load(bounds + atom), tl.load(bounds + atom + 1)
    total = tl.zeros((P_TILE, C_TILE), TYPE)
    for start in range(begin, end, TILE):
        here = start + lane < end
        of_channel = here[:, None] & (c < channels)[None, :]
        of_component = here[:, None] & (m < P)[None, :]
        bond = tl.load(sent + start + lane, mask=here, other=0)
        target = tl.load(receiver + bond, mask=here, other=0)
        for number in range(first_term, last_term):
            term = terms + number * 8
            q, of_weight, of_block = tl.load(term), tl.load(term + 4), tl.load(term + 5)
            of_out, stride = tl.load(term + 6), tl.load(term + 7)
            factors = weights + bond[:, None] * WEIGHTS + of_weight + c[None, :]
            weight = tl.load(factors, mask=of_channel, other=0).to(TYPE)
            for k in range(q):
                slopes = gradient + target[:, None] * OUT + of_out + k * stride + c[None, :]
                slope = tl.load(slopes, mask=of_channel, other=0).to(TYPE) * weight
                entries = blocks + bond[:, None] * BLOCKS + of_block + m[None, :] * q + k
                block = tl.load(entries, mask=of_component, other=0).to(TYPE)
                total += tl.sum(block[:, :, None] * slope[:, None, :], axis=0)
    tl.store(
        out + atom * FEATURES + of_feature + m[:, None] * channels + c[None, :],
        total,
        mask=(m < P)[:, None] & (c < channels)[None, :],
    )
