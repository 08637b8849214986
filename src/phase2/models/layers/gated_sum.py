"""Gated messages over links, normalised and summed: the inner loop of CGCNN, with a hand-written gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from phase2.config.settings import Kernels
from phase2.data.batching import QuotientBatch
from phase2.models.layers.across import sum_across
from phase2.models.layers.sparse import sparse_product


@dataclass(frozen=True, slots=True)
class Links:
    """Links of a batch as sparse matrices, built once per batch.

    Attributes:
        weight: Number of edges per receiving atom that each link stands for, (L,) float32.
        share: Fraction of all edges of the full graph that each link stands for, (L,) float32; the sum over the whole
            batch is 1, or 0 where there are no edges.
        edges: Number of edges of the full graph, in the whole batch, () float32.
        receiver: Node that receives the messages of each link, (L,) int32.
        received: Offsets of each node's links, (N + 1,) int32.
        ends: Rows of each link's receiver term and sender term among the terms of all nodes: 2 receiver and
            2 sender + 1, (2 L,) int32.
        term_links: Links that use each of those terms, term after term, (2 L,) int32.
        term_rows: Offsets of the terms in ``term_links``, (2 N + 1,) int32.
        each: The numbers from 0 to 2 L, (2 L + 1,) int32.
        kernels: What computes the gated sums.
    """

    weight: Tensor
    share: Tensor
    edges: Tensor
    receiver: Tensor
    received: Tensor
    ends: Tensor
    term_links: Tensor
    term_rows: Tensor
    each: Tensor
    kernels: Kernels = "plain"

    @classmethod
    def from_batch(cls, batch: QuotientBatch, *, across: bool = False, kernels: Kernels = "plain") -> Links:
        """Build the sparse matrices of a batch, or of the part of a batch that this process has.

        Args:
            batch: The batch, or the part.
            across: Count the edges of all processes that share the batch; all of them have to ask.
            kernels: What computes the gated sums.
        """
        n, receiver = len(batch.species), batch.receiver
        edges = batch.link_weight * batch.weight.index_select(0, receiver)
        total = sum_across(edges.sum()) if across else edges.sum()
        ends = torch.stack([2 * receiver, 2 * batch.sender + 1], dim=1).flatten()
        terms, order = torch.sort(ends, stable=True)
        return cls(
            weight=batch.link_weight,
            share=edges / torch.where(total > 0, total, 1),
            edges=total,
            receiver=receiver.int(),
            received=_offsets(receiver, n),
            ends=ends.int(),
            term_links=(order // 2).int(),
            term_rows=_offsets(terms, 2 * n),
            each=torch.arange(len(ends) + 1, dtype=torch.int32, device=receiver.device),
            kernels=kernels,
        )


@dataclass(frozen=True, slots=True)
class Statistics:
    """Mean and variance of every column, (2 C,) float32 each."""

    mean: Tensor
    variance: Tensor


def gated_sum(
    terms: Tensor,
    lengths: Tensor,
    weight: Tensor,
    scale: Tensor,
    bias: Tensor,
    links: Links,
    statistics: Statistics | None,
    eps: float,
) -> tuple[Tensor, Statistics]:
    """Sum sigmoid(f) * softplus(s) over the edges of each atom, with (f, s) the normalised columns of z.

    z = receiver's term + sender's term + weight @ length's features, for each link. All in one function, because
    separate operations spend most of their time on moving (L, 2 C) arrays.

    Args:
        terms: Terms of each node as receiver and as sender, (N, 4 C) float32.
        lengths: Expanded lengths of the links, (L, G) float32; they get no gradient.
        weight: Weights of the lengths' features, (2 C, G) float32.
        scale: Scale of the batch norm, (2 C,) float32.
        bias: Bias of the batch norm, (2 C,) float32.
        links: Links of the batch.
        statistics: Statistics to normalise with; None for the mean and variance over all edges of the batch.
        eps: Added to the variance.

    Returns:
        Sums, (N, C) float32, and the statistics used.
    """
    given = (None, None) if statistics is None else (statistics.mean, statistics.variance)
    summed, mean, variance = _GatedSum.apply(terms, lengths, weight, scale, bias, links, *given, eps)
    return summed, Statistics(mean, variance)


class _GatedSum(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917
        ctx: Any,
        terms: Tensor,
        lengths: Tensor,
        weight: Tensor,
        scale: Tensor,
        bias: Tensor,
        links: Links,
        mean: Tensor | None,
        variance: Tensor | None,
        eps: float,
    ) -> tuple[Tensor, Tensor, Tensor]:
        ctx.fixed = mean is not None
        z = sparse_product(links.each[::2], links.ends, terms.view(-1, len(weight)))
        z.addmm_(lengths, weight.T)
        if mean is None:
            mean = sum_across(links.share @ z)
        z -= mean
        if variance is None:
            variance = sum_across(links.share @ z.square())
        inverse = torch.rsqrt(variance + eps)
        ctx.links = links
        ctx.mark_non_differentiable(mean, variance)
        if links.kernels == "triton":
            from phase2.models.layers.fused.gate import fused_gated_sum

            ctx.save_for_backward(z, lengths, scale, inverse, bias)
            return fused_gated_sum(z, scale * inverse, bias, links.weight, links.received), mean, variance
        gate, core = torch.addcmul(bias, z, scale * inverse).chunk(2, dim=1)
        opened, soft = torch.sigmoid(gate), functional.softplus(core)
        messages = opened * soft
        ctx.save_for_backward(z, lengths, scale, inverse, opened, soft, messages)
        return sparse_product(links.received, links.each[: len(z)], messages, links.weight), mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        z, lengths, scale, inverse, *activations = ctx.saved_tensors
        links: Links = ctx.links
        factor = scale * inverse
        g = _of_columns(gradient.contiguous(), z, factor, activations, links)
        of_bias, of_scale = g.sum(dim=0), (g * z).sum(dim=0) * inverse
        if ctx.fixed:
            of_z = g * factor
        else:  # the part through the mean and the variance, per edge
            all_bias, all_scale = sum_across(torch.stack([of_bias, of_scale]))
            of_z = _of_z(g, z, factor, factor * all_bias, factor * all_scale * inverse, links)
        of_terms = sparse_product(links.term_rows, links.term_links, of_z).view(len(gradient), 2 * z.shape[1])
        return of_terms, None, of_z.T @ lengths, of_scale, of_bias, None, None, None, None


def _of_columns(gradient: Tensor, z: Tensor, factor: Tensor, activations: list[Tensor], links: Links) -> Tensor:
    """Return the gradient by the normalised columns of each link, (L, 2 C), from that of the sums, (N, C)."""
    if links.kernels == "triton":
        from phase2.models.layers.fused.gate import fused_gate_gradient

        (bias,) = activations
        return fused_gate_gradient(gradient, z, factor, bias, links.weight, links.receiver)
    opened, soft, messages = activations
    of_messages = sparse_product(links.each[: len(z) + 1], links.receiver, gradient, links.weight)
    g = torch.empty_like(z)
    gate, core = g.chunk(2, dim=1)
    torch.mul(of_messages, messages, out=gate)
    gate.addcmul_(gate, opened, value=-1)  # d sigmoid(f) = sigmoid(f) (1 - sigmoid(f)) df
    torch.mul(of_messages, opened, out=core)
    core.mul_(torch.expm1(-soft).neg_())  # d softplus(s) = (1 - exp(-softplus(s))) ds
    return g


def _of_z(g: Tensor, z: Tensor, factor: Tensor, of_mean: Tensor, of_variance: Tensor, links: Links) -> Tensor:
    """Return the gradient by z, (L, 2 C), of which a part goes through the mean and the variance."""
    if links.kernels == "triton":
        from phase2.models.layers.fused.gate import unnormalised

        return unnormalised(g, z, links.share, factor, of_mean, of_variance)
    through = torch.addcmul(of_mean, z, of_variance)
    return through.mul_(links.share[:, None]).neg_().addcmul_(g, factor)


def _offsets(ascending: Tensor, n: int) -> Tensor:
    # Unlike counting, searching does not wait for the GPU.
    return torch.searchsorted(ascending, torch.arange(n + 1, device=ascending.device)).int()
