"""Padding of batches with rows that change nothing."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from phase2.data.batching import Batch, CrystalBatch, QuotientBatch
from phase2.data.padding.shape import BatchShape

PADDING_LENGTH = 100.0
"""Length of the edges of the padding, angstrom: beyond every cutoff, so that no message is sent along them."""


def pad(batch: Batch, shape: BatchShape) -> Batch:
    """Append crystals, atoms, bonds and edges to a batch until it has a size.

    What is appended belongs to appended crystals, which have no labels. No message goes to an atom of the batch, and
    statistics count appended nodes and links with weight zero: outputs, gradients and statistics remain those of the
    batch, except for the order in which sums are rounded.

    Args:
        batch: The batch, without padding.
        shape: Size to pad to, which has room for the batch.
    """
    assert shape.has_room_for(BatchShape.of(batch)), f"{shape} has no room for {BatchShape.of(batch)}"  # noqa: S101
    padded = _pad_crystals(batch, shape) if isinstance(batch, CrystalBatch) else _pad_quotients(batch, shape)
    missing = float("nan")
    return dataclasses.replace(
        padded,
        n_crystals=shape.crystals,
        targets=_extended(batch.targets, shape.crystals, missing),
        index=_extended(batch.index, shape.crystals, -1),
        features=None if batch.features is None else _extended(batch.features, shape.crystals, missing),
        padding=shape.crystals - batch.n_crystals,
    )


def _pad_crystals(batch: CrystalBatch, shape: BatchShape) -> CrystalBatch:
    atoms, bonds = len(batch.species), len(batch.bond_sender)
    far = PADDING_LENGTH * torch.eye(3, dtype=batch.lattice.dtype, device=batch.lattice.device)
    cells = far.expand(shape.crystals - batch.n_crystals, 3, 3)
    along = batch.edge_shift.new_tensor([1, 0, 0]).expand(shape.edges - len(batch.edge_bond), 3)
    return dataclasses.replace(
        batch,
        species=_extended(batch.species, shape.atoms, 0),
        positions=_extended(batch.positions, shape.atoms, 0),
        lattice=torch.cat([batch.lattice, cells]),
        atom_crystal=_extended(batch.atom_crystal, shape.atoms, shape.crystals - 1),
        bond_receiver=_spread(batch.bond_receiver, shape.bonds, atoms, shape.atoms),
        bond_sender=_spread(batch.bond_sender, shape.bonds, atoms, shape.atoms),
        edge_bond=_spread(batch.edge_bond, shape.edges, bonds, shape.bonds),
        edge_shift=torch.cat([batch.edge_shift, along]),
    )


def _pad_quotients(batch: QuotientBatch, shape: BatchShape) -> QuotientBatch:
    nodes = len(batch.species)
    return dataclasses.replace(
        batch,
        species=_extended(batch.species, shape.atoms, 0),
        weight=_extended(batch.weight, shape.atoms, 0),
        node_crystal=_extended(batch.node_crystal, shape.atoms, shape.crystals - 1),
        receiver=_spread(batch.receiver, shape.bonds, nodes, shape.atoms),
        sender=_spread(batch.sender, shape.bonds, nodes, shape.atoms),
        distance=_extended(batch.distance, shape.bonds, PADDING_LENGTH),
        link_weight=_extended(batch.link_weight, shape.bonds, 0),
    )


def _extended(rows: Tensor, n: int, value: float) -> Tensor:
    """Append rows of a value until there are ``n``."""
    return torch.cat([rows, rows.new_full((n - len(rows), *rows.shape[1:]), value)])


def _spread(rows: Tensor, n: int, first: int, end: int) -> Tensor:
    """Append indices from ``first`` to ``end``, evenly and ascending, until there are ``n``."""
    count = n - len(rows)
    steps = torch.arange(count, dtype=rows.dtype, device=rows.device)
    return torch.cat([rows, first + steps * (end - first) // max(count, 1)])
