"""Batches of crystals: the tensors that the models read.

Every field is listed once, here, with its shape, dtype and unit. B crystals, N atoms or nodes, M bonds, E edges,
L links and P properties are counted over the whole batch, and indices refer to the whole batch. The symbols are those
of docs/conventions.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self, TypeAlias, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phase2.data.graphs.packed import PackedGraphs

View: TypeAlias = Literal["crystal", "quotient"]


class _Tensors:
    """Operations on all tensors of a batch at once, alike for both kinds of batches."""

    __slots__ = ()

    n_crystals: int
    padding: int

    @property
    def n_real(self) -> int:
        """Number of crystals without those of the padding."""
        return self.n_crystals - self.padding

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Self:
        """Copy to a device; non-blocking copies need :meth:`pin_memory` first."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """Copy to page-locked memory, from which a GPU fetches in the background."""
        return self._map(lambda tensor: tensor.pin_memory())

    def double(self) -> Self:
        """Convert float32 to float64, for tests of exact statements."""
        return self._map(lambda tensor: tensor.double() if tensor.is_floating_point() else tensor)

    def clone(self) -> Self:
        """Copy to memory of its own."""
        return self._map(Tensor.clone)

    def fill(self, other: _Tensors) -> None:
        """Overwrite the tensors with those of another batch of the same size, on the same device."""
        theirs = other._values()
        for name, tensor in self._values().items():
            if isinstance(tensor, Tensor):
                tensor.copy_(theirs[name])

    def _map(self, change: Callable[[Tensor], Tensor]) -> Self:
        return type(self)(**{k: change(v) if isinstance(v, Tensor) else v for k, v in self._values().items()})

    def _values(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class CrystalBatch(_Tensors):
    """Crystals with their full geometry.

    Attributes:
        species: Atomic numbers, (N,) int64.
        positions: Cartesian positions, (N, 3) float32, angstrom.
        lattice: Lattice vectors as rows, (B, 3, 3) float32, angstrom.
        atom_crystal: Crystal of each atom, (N,) int64, ascending.
        bond_receiver: Atom that receives the messages of each bond, (M,) int64, ascending.
        bond_sender: Atom that sends them, (M,) int64.
        edge_bond: Bond of each edge, (E,) int64, ascending; the edges of a bond differ by a translation only.
        edge_shift: Lattice translation of the sender's image, (E, 3) float32.
        n_crystals: Number of crystals, B.
        targets: Normalised labels, (B, P) float32, NaN where missing; (B, 0) when there are none.
        index: Row of each crystal in the packed graphs, (B,) int64.
        features: Features of a pretrained potential, (B, F) float32, NaN where it knows none; None without one.
        padding: Crystals at the end that only fill the batch up to a size; see :func:`phase2.data.padding.pad.pad`.
    """

    species: Tensor
    positions: Tensor
    lattice: Tensor
    atom_crystal: Tensor
    bond_receiver: Tensor
    bond_sender: Tensor
    edge_bond: Tensor
    edge_shift: Tensor
    n_crystals: int
    targets: Tensor
    index: Tensor
    features: Tensor | None = None
    padding: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class QuotientBatch(_Tensors):
    """Crystals whose equivalent atoms are one node: sufficient for a network that reads distances only.

    Attributes:
        species: Atomic numbers, (N,) int64.
        weight: Number of atoms that each node stands for, (N,) float32.
        node_crystal: Crystal of each node, (N,) int64, ascending.
        receiver: Node that receives the messages of each link, (L,) int64, ascending.
        sender: Node that sends them, (L,) int64.
        distance: Length of the link's edges, (L,) float32, angstrom.
        link_weight: Number of edges per receiving atom that each link stands for, (L,) float32.
        n_crystals: Number of crystals, B.
        targets: Normalised labels, (B, P) float32, NaN where missing; (B, 0) when there are none.
        index: Row of each crystal in the packed graphs, (B,) int64.
        features: Features of a pretrained potential, (B, F) float32, NaN where it knows none; None without one.
        padding: Crystals at the end that only fill the batch up to a size; see :func:`phase2.data.padding.pad.pad`.
    """

    species: Tensor
    weight: Tensor
    node_crystal: Tensor
    receiver: Tensor
    sender: Tensor
    distance: Tensor
    link_weight: Tensor
    n_crystals: int
    targets: Tensor
    index: Tensor
    features: Tensor | None = None
    padding: int = 0


Batch: TypeAlias = CrystalBatch | QuotientBatch


@overload
def collate(
    graphs: PackedGraphs,
    index: NDArray[np.int64],
    targets: NDArray[np.float32] | None,
    view: Literal["crystal"],
    features: NDArray[np.float32] | None = None,
) -> CrystalBatch: ...


@overload
def collate(
    graphs: PackedGraphs,
    index: NDArray[np.int64],
    targets: NDArray[np.float32] | None,
    view: Literal["quotient"],
    features: NDArray[np.float32] | None = None,
) -> QuotientBatch: ...


@overload
def collate(
    graphs: PackedGraphs,
    index: NDArray[np.int64],
    targets: NDArray[np.float32] | None,
    view: View,
    features: NDArray[np.float32] | None = None,
) -> Batch: ...


def collate(
    graphs: PackedGraphs,
    index: NDArray[np.int64],
    targets: NDArray[np.float32] | None,
    view: View,
    features: NDArray[np.float32] | None = None,
) -> Batch:
    """Gather crystals into one batch, in the order of ``index``.

    Args:
        graphs: Graphs of all crystals of a store.
        index: Crystals of the batch, as rows of the store, shape (B,), int64.
        targets: Normalised labels of all crystals, P per row of the store, float32, NaN where missing; None for none.
        view: Kind of batch to build.
        features: Features of all crystals by a pretrained potential, F per row of the store, float32; None for none.
    """
    index = np.ascontiguousarray(index, dtype=np.int64)
    labels = np.empty((len(index), 0), np.float32) if targets is None else targets[index].astype(np.float32, copy=False)
    gather: Callable[..., Batch] = _crystals if view == "crystal" else _quotients
    batch = gather(graphs, index, torch.from_numpy(labels))
    if features is None:
        return batch
    return dataclasses.replace(batch, features=torch.from_numpy(features[index].astype(np.float32)))


def _crystals(graphs: PackedGraphs, index: NDArray[np.int64], targets: Tensor) -> CrystalBatch:
    atoms = _Ragged(graphs.atom_offset, index)
    bonds = _Ragged(graphs.bond_offset, index)
    edges = _Ragged(graphs.edge_offset, index)
    return CrystalBatch(
        species=atoms.take(graphs.species, torch.int64),
        positions=atoms.take(graphs.positions, torch.float32),
        lattice=torch.from_numpy(graphs.lattice[index].astype(np.float32, copy=False)),
        atom_crystal=torch.from_numpy(atoms.owner),
        bond_receiver=bonds.take_index(graphs.bond_receiver, atoms),
        bond_sender=bonds.take_index(graphs.bond_sender, atoms),
        edge_bond=edges.take_index(graphs.edge_bond, bonds),
        edge_shift=edges.take(graphs.edge_shift, torch.float32),
        n_crystals=len(index),
        targets=targets,
        index=torch.from_numpy(index),
    )


def _quotients(graphs: PackedGraphs, index: NDArray[np.int64], targets: Tensor) -> QuotientBatch:
    nodes = _Ragged(graphs.node_offset, index)
    links = _Ragged(graphs.link_offset, index)
    return QuotientBatch(
        species=nodes.take(graphs.node_species, torch.int64),
        weight=nodes.take(graphs.node_weight, torch.float32),
        node_crystal=torch.from_numpy(nodes.owner),
        receiver=links.take_index(graphs.link_receiver, nodes),
        sender=links.take_index(graphs.link_sender, nodes),
        distance=links.take(graphs.link_distance, torch.float32),
        link_weight=links.take(graphs.link_weight, torch.float32),
        n_crystals=len(index),
        targets=targets,
        index=torch.from_numpy(index),
    )


class _Ragged:
    """The rows of selected crystals in a flat array of all crystals' atoms, bonds, edges, nodes or links."""

    def __init__(self, offset: NDArray[np.int64], index: NDArray[np.int64]) -> None:
        self.begin = offset[index]
        self.counts = offset[index + 1] - self.begin
        self.start = np.concatenate(([0], np.cumsum(self.counts)[:-1])).astype(np.int64)
        self.owner = np.repeat(np.arange(len(index)), self.counts)
        self.rows = np.arange(len(self.owner)) + (self.begin - self.start)[self.owner]

    def take(self, values: NDArray[np.generic], dtype: torch.dtype) -> Tensor:
        self._reach(values)
        return torch.from_numpy(values.take(self.rows, axis=0)).to(dtype)

    def take_index(self, values: NDArray[np.int32], target: _Ragged) -> Tensor:
        """Gather indices that are local to a crystal, and shift them to its rows in the batch."""
        self._reach(values)
        return torch.from_numpy(values.take(self.rows) + target.start[self.owner])

    def _reach(self, values: NDArray[np.generic]) -> None:
        """Read the first row of each crystal, so that what follows waits less for memory.

        In a store of gigabytes each crystal lies far from the others. The processor overlaps these reads, which are
        independent; row after row, it would wait for the first of each crystal in turn.
        """
        if len(self.rows):
            values.take(self.begin, axis=0, mode="clip")
