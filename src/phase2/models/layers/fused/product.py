"""Tensor product summed over neighbours by Triton kernels, which hold no message of a bond in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from phase2.models.layers.fused.driver import use_prebuilt_driver
from phase2.models.layers.fused.layout import Route, SortedBonds
from phase2.models.layers.fused.product_kernels import feature_gradient, sum_messages, weight_gradient

CHANNELS = 32
"""Channels of a program."""
BONDS = 16
"""Bonds that a program has at once."""

use_prebuilt_driver()


def fused_product(
    features: Sequence[Tensor], weights: Tensor, blocks: Tensor, bonds: SortedBonds, routes: tuple[Route, ...]
) -> list[Tensor]:
    """Multiply the senders' features with each bond's weights and blocks, and sum over the bonds of each receiver.

    It is the sum of :class:`phase2.models.layers.tensor_product.TensorProduct`. The blocks get no gradient.

    Args:
        features: Features by degree, (N, 2l+1, C_l); single, double or bfloat16.
        weights: Weights of the paths and channels, (M, W).
        blocks: Matrices of each bond for all paths, one behind the other, (M, B) float32.
        bonds: The bonds.
        routes: The paths.

    Returns:
        Sums by degree, (N, 2l+1, C'_l), of the type of the blocks.
    """
    return list(_FusedProduct.apply(weights, blocks, bonds, routes, *features))


class _FusedProduct(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, weights: Tensor, blocks: Tensor, bonds: SortedBonds, routes: tuple[Route, ...], *features: Tensor
    ) -> tuple[Tensor, ...]:
        flat = torch.cat([x.flatten(1) for x in features], dim=1)
        weights = weights.contiguous()
        tables = _tables(routes, tuple(x.shape[2] for x in features), flat.device)
        ctx.save_for_backward(flat, weights, blocks)
        ctx.bonds, ctx.tables, ctx.shapes = bonds, tables, [x.shape for x in features]
        results = []
        for q, channels, jobs in tables.sums:
            out = blocks.new_empty((len(flat), q, channels))
            if len(flat):
                sum_messages[len(flat), len(jobs)](
                    *(flat, weights, blocks, bonds.sender, bonds.received, jobs, out),
                    FEATURES=flat.shape[1],
                    OUT=q * channels,
                    Q=q,
                    Q_TILE=triton.next_power_of_2(q),
                    **_common(weights, blocks),
                )
            results.append(out)
        return tuple(results)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        flat, weights, blocks = ctx.saved_tensors
        bonds: SortedBonds = ctx.bonds
        tables: _Tables = ctx.tables
        common = _common(weights, blocks)
        slopes = [gradient.contiguous() for gradient in gradients]
        of_weights: Tensor | None = None
        of_features: list[Tensor] = []
        if ctx.needs_input_grad[0]:
            of_weights = torch.empty_like(weights)
            for (q, channels, jobs), slope in zip(tables.sums, slopes, strict=True):
                if len(weights):
                    weight_gradient[triton.cdiv(len(weights), BONDS), len(jobs)](
                        *(flat, slope, blocks, bonds.sender, bonds.receiver, jobs, of_weights, len(weights)),
                        FEATURES=flat.shape[1],
                        OUT=q * channels,
                        Q=q,
                        Q_TILE=triton.next_power_of_2(q),
                        **common,
                    )
        if any(ctx.needs_input_grad[4:]):
            slope = torch.cat([each.flatten(1) for each in slopes], dim=1)
            of_features = [flat.new_empty(shape) for shape in ctx.shapes]
            for out, jobs in zip(of_features, tables.features, strict=True):
                p = out.shape[1]
                if len(flat):
                    feature_gradient[len(flat), len(jobs)](
                        *(weights, slope, blocks, bonds.receiver, bonds.sent, bonds.sent_by),
                        *(jobs, tables.terms, out),
                        FEATURES=p * out.shape[2],
                        OUT=slope.shape[1],
                        P=p,
                        P_TILE=triton.next_power_of_2(p),
                        **common,
                    )
        return of_weights, None, None, None, *(of_features or (None for _ in ctx.shapes))


def _common(weights: Tensor, blocks: Tensor) -> dict[str, Any]:
    return {
        "WEIGHTS": weights.shape[1],
        "BLOCKS": blocks.shape[1],
        "C_TILE": CHANNELS,
        "TILE": BONDS,
        "enable_fp_fusion": True,
        "TYPE": tl.float64 if blocks.dtype == torch.float64 else tl.float32,
    }


@dataclass(frozen=True, slots=True)
class _Tables:
    """Places of the parts of each path, as the kernels read them.

    Attributes:
        sums: Components, channels and jobs of the results of each degree.
        features: Jobs of the gradient of the features of each degree.
        terms: Paths, by the degree of their features.
    """

    sums: list[tuple[int, int, Tensor]]
    features: list[Tensor]
    terms: Tensor


@cache
def _tables(routes: tuple[Route, ...], channels: tuple[int, ...], device: torch.device) -> _Tables:
    highest = max(route.l3 for route in routes)
    sizes = [sum(r.channels for r in routes if r.l3 == degree) for degree in range(highest + 1)]
    inputs = list(accumulate((c * (2 * degree + 1) for degree, c in enumerate(channels)), initial=0))
    outputs = list(accumulate((c * (2 * degree + 1) for degree, c in enumerate(sizes)), initial=0))
    sums = [
        [
            (2 * r.l1 + 1, r.channels, first, inputs[r.l1], r.weight, r.block, r.out, sizes[degree])
            for r in routes
            if r.l3 == degree
            for first in range(0, r.channels, CHANNELS)
        ]
        for degree in range(highest + 1)
    ]
    ordered = sorted(routes, key=lambda r: r.l1)
    terms = [(2 * r.l3 + 1, 0, 0, 0, r.weight, r.block, outputs[r.l3] + r.out, sizes[r.l3]) for r in ordered]
    ends = list(accumulate((sum(r.l1 == degree for r in routes) for degree in range(len(channels))), initial=0))
    features = [
        [(0, c, first, 0, ends[degree], ends[degree + 1], 0, 0) for first in range(0, c, CHANNELS)]
        for degree, c in enumerate(channels)
    ]
    return _Tables(
        sums=[
            (2 * degree + 1, size, _table(jobs, device))
            for degree, (size, jobs) in enumerate(zip(sizes, sums, strict=True))
        ],
        features=[_table(jobs, device) for jobs in features],
        terms=_table(terms, device),
    )


def _table(rows: Sequence[tuple[int, ...]], device: torch.device) -> Tensor:
    return torch.tensor(rows, dtype=torch.int32, device=device)
