"""Weighted sums over neighbours as products with a sparse matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from phase2.models.layers.sparse import sparse_product


@dataclass(frozen=True, slots=True)
class BlockPattern:
    """Sparsity pattern of a matrix of bonds: a non-zero block (i, b) of p x q numbers for every bond b of atom i.

    Attributes:
        receiver: Atom that receives the messages of each bond, (M,) int64, ascending.
        rows: Offsets of the matrix's rows, (N q + 1,) int32.
        columns: Column of each entry, row after row, (M p q,) int32.
        entries: Positions of these entries in the flattened blocks, (M p q,) int64.
        transposed_rows: Offsets of the transposed matrix's rows, (M p + 1,) int32.
        transposed_columns: Column of each of its entries, in the order of the blocks, (M p q,) int32.
    """

    receiver: Tensor
    rows: Tensor
    columns: Tensor
    entries: Tensor
    transposed_rows: Tensor
    transposed_columns: Tensor

    @classmethod
    def from_receivers(cls, receiver: Tensor, n_atoms: int, p: int, q: int) -> BlockPattern:
        """Build the pattern of p x q blocks for bonds sorted by receiver, (M,) int64."""
        n_bonds, total = len(receiver), len(receiver) * p * q
        bounds = p * torch.searchsorted(receiver, torch.arange(n_atoms + 1, device=receiver.device))
        first = bounds[:-1].repeat_interleave(q, output_size=n_atoms * q)
        length = bounds.diff().repeat_interleave(q, output_size=n_atoms * q)
        rows = functional.pad(torch.cumsum(length, 0), (1, 0))
        every = torch.arange(total, device=receiver.device)
        columns = every - (rows[:-1] - first).repeat_interleave(length, output_size=total)
        component = torch.arange(q, device=receiver.device)
        entries = columns * q + component.repeat(n_atoms).repeat_interleave(length, output_size=total)
        transposed = (receiver[:, None, None] * q + component).expand(n_bonds, p, q).reshape(-1)
        starts = torch.arange(0, total + 1, q, device=receiver.device)
        return cls(receiver, rows.int(), columns.int(), entries, starts.int(), transposed.int())


def neighbor_sum(blocks: Tensor, messages: Tensor, pattern: BlockPattern) -> Tensor:
    """Sum the messages of each atom's bonds, each multiplied by the bond's own small matrix.

    ``out[i, k, c] = sum over bonds b of atom i and over m of blocks[b, m, k] * messages[b, m, c]``

    On a CPU this is 4 to 7 times faster than batched products with padded neighbour lists: nothing is padded, and
    the rows of c stay in the cache. The order of summation is fixed, on a GPU too.

    Args:
        blocks: Matrix of each bond, (M, p, q) float32.
        messages: Messages of the bonds, (M, p, C).
        pattern: Sparsity pattern of the blocks.

    Returns:
        Sums, (N, q, C) float32.
    """
    out: Tensor = _NeighborSum.apply(blocks, messages.to(blocks.dtype), pattern)  # sums need more digits than bf16 has
    return out


class _NeighborSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, blocks: Tensor, messages: Tensor, pattern: BlockPattern) -> Tensor:
        ctx.pattern = pattern
        ctx.save_for_backward(blocks, messages if ctx.needs_input_grad[0] else None)
        values = blocks.reshape(-1).index_select(0, pattern.entries)
        sums = sparse_product(pattern.rows, pattern.columns, messages.flatten(0, 1), values)
        return sums.view(-1, blocks.shape[2], messages.shape[2])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor, None]:
        blocks, messages = ctx.saved_tensors
        pattern: BlockPattern = ctx.pattern
        flat = gradient.contiguous().flatten(0, 1)
        back = sparse_product(pattern.transposed_rows, pattern.transposed_columns, flat, blocks.reshape(-1))
        of_blocks = messages @ gradient[pattern.receiver].mT if ctx.needs_input_grad[0] else None
        return of_blocks, back.view(*blocks.shape[:2], gradient.shape[2]), None
