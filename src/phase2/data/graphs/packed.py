"""Packed graphs: the graphs of many crystals as flat arrays, in memory or memory-mapped from disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from phase2.errors import DataError
from phase2.properties import PROPERTIES

ENTITIES = ("crystal", "atom", "bond", "edge", "node", "link")


class Column(NamedTuple):
    """Layout of one array: what it has an entry for, and the dtype and shape of an entry, None for any width."""

    entity: str
    dtype: DTypeLike
    shape: tuple[int | None, ...] = ()

    def shape_like(self, array: NDArray[Any]) -> tuple[int, ...]:
        """Return the shape of an entry, with the widths of an array where any will do."""
        widths = array.shape[1:] if array.ndim == len(self.shape) + 1 else self.shape
        return tuple((width or 0) if size is None else size for size, width in zip(self.shape, widths, strict=True))


COLUMNS: Mapping[str, Column] = {
    "ids": Column("crystal", np.str_),
    "formulas": Column("crystal", np.str_),
    "lattice": Column("crystal", np.float32, (3, 3)),
    "targets": Column("crystal", np.float32, (None,)),
    "species": Column("atom", np.uint8),
    "positions": Column("atom", np.float32, (3,)),
    "atom_node": Column("atom", np.int32),
    "bond_receiver": Column("bond", np.int32),
    "bond_sender": Column("bond", np.int32),
    "edge_bond": Column("edge", np.int32),
    "edge_shift": Column("edge", np.int8, (3,)),
    "node_species": Column("node", np.uint8),
    "node_weight": Column("node", np.int32),
    "link_receiver": Column("link", np.int32),
    "link_sender": Column("link", np.int32),
    "link_distance": Column("link", np.float32),
    "link_weight": Column("link", np.int32),
}


@dataclass(frozen=True, slots=True, eq=False)
class PackedGraphs:
    """Graphs of B crystals, with N atoms or nodes, M bonds, E edges and L links in all.

    Entry i of an ``*_offset`` is where crystal i begins in the arrays of that kind; indices of atoms, bonds and nodes
    count from the beginning of their crystal. The symbols are those of docs/conventions.md.

    An edge joins an atom (receiver) to one periodic image of an atom (sender); its vector is
    ``positions[sender] + shift @ lattice - positions[receiver]``. Edges are sorted by receiver, then length, then
    sender, then shift. A bond is the set of edges with one receiver, one sender and one length. Nodes and links are
    the quotient graph (see ``quotient.py``): a node stands for ``node_weight`` equivalent atoms, a link for
    ``link_weight`` edges of each of these atoms.

    Attributes:
        ids: Names of the crystals, shape (B,), str.
        formulas: Reduced formulas, shape (B,), str.
        lattice: Lattice vectors as rows, shape (B, 3, 3), float32, angstrom.
        targets: Labels of the K properties of the source, ``PROPERTIES`` first, in their order and units, shape (B, K),
            float32, NaN where missing.
        atom_offset: Shape (B + 1,), int64.
        species: Atomic numbers of the atoms, shape (N,), uint8.
        positions: Cartesian positions, shape (N, 3), float32, angstrom.
        atom_node: Node of each atom, shape (N,), int32.
        bond_offset: Shape (B + 1,), int64.
        bond_receiver: Atom that receives the messages of each bond, shape (M,), int32.
        bond_sender: Atom that sends them, shape (M,), int32.
        edge_offset: Shape (B + 1,), int64.
        edge_bond: Bond of each edge, ascending, shape (E,), int32.
        edge_shift: Lattice translation of the sender's image, shape (E, 3), int8.
        node_offset: Shape (B + 1,), int64.
        node_species: Atomic numbers of the nodes, shape (N,), uint8.
        node_weight: Number of atoms that each node stands for, shape (N,), int32.
        link_offset: Shape (B + 1,), int64.
        link_receiver: Node that receives the messages of each link, ascending, shape (L,), int32.
        link_sender: Node that sends them, shape (L,), int32.
        link_distance: Length of each link, shape (L,), float32, angstrom.
        link_weight: Number of edges per atom of the receiving node that each link stands for, shape (L,), int32.
    """

    ids: NDArray[np.str_]
    formulas: NDArray[np.str_]
    lattice: NDArray[np.float32]
    targets: NDArray[np.float32]
    atom_offset: NDArray[np.int64]
    species: NDArray[np.uint8]
    positions: NDArray[np.float32]
    atom_node: NDArray[np.int32]
    bond_offset: NDArray[np.int64]
    bond_receiver: NDArray[np.int32]
    bond_sender: NDArray[np.int32]
    edge_offset: NDArray[np.int64]
    edge_bond: NDArray[np.int32]
    edge_shift: NDArray[np.int8]
    node_offset: NDArray[np.int64]
    node_species: NDArray[np.uint8]
    node_weight: NDArray[np.int32]
    link_offset: NDArray[np.int64]
    link_receiver: NDArray[np.int32]
    link_sender: NDArray[np.int32]
    link_distance: NDArray[np.float32]
    link_weight: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)

    def __post_init__(self) -> None:
        for name, column in COLUMNS.items():
            array = getattr(self, name)
            size = len(self.ids) if column.entity == "crystal" else int(self.offset(column.entity)[-1])
            expected = (size, *column.shape_like(array))
            if array.shape != expected or not np.issubdtype(array.dtype, column.dtype):
                raise DataError(
                    f"Array '{name}' of the packed graphs is {array.dtype} {array.shape}.",
                    why=f"Expected {np.dtype(column.dtype).name} {expected}.",
                )
        for entity in ENTITIES[1:]:
            offset = self.offset(entity)
            if len(offset) != len(self.ids) + 1 or offset[0] != 0 or (np.diff(offset) < 0).any():
                raise DataError(f"Array '{entity}_offset' of the packed graphs is no ascending list of B + 1 offsets.")

    @classmethod
    def concatenate(cls, parts: Sequence[PackedGraphs]) -> PackedGraphs:
        """Concatenate graphs; no parts give no crystals."""
        parts = [part for part in parts if len(part)] or parts[:1]
        if len(parts) == 1:
            return parts[0]
        arrays: dict[str, Any] = {
            name: np.concatenate([_empty(name, column, parts), *(getattr(p, name) for p in parts)])
            for name, column in COLUMNS.items()
        }
        counts = {entity: [np.diff(p.offset(entity)) for p in parts] for entity in ENTITIES[1:]}
        arrays |= {f"{entity}_offset": offsets_from_counts(np.concatenate([[], *c])) for entity, c in counts.items()}
        return cls(**arrays)

    def offset(self, entity: str) -> NDArray[np.int64]:
        """Return where each crystal begins among the ``atom``, ``bond``, ``edge``, ``node`` or ``link`` entries."""
        offset: NDArray[np.int64] = getattr(self, f"{entity}_offset")
        return offset

    def take(self, index: NDArray[np.integer]) -> PackedGraphs:
        """Copy the selected crystals, in the order of ``index``.

        Args:
            index: Rows of the crystals to copy, 1-D integers.
        """
        rows = np.asarray(index, dtype=np.int64)
        entries = {entity: ragged_indices(self.offset(entity), rows) for entity in ENTITIES[1:]} | {"crystal": rows}
        arrays: dict[str, Any] = {n: np.asarray(getattr(self, n)[entries[c.entity]]) for n, c in COLUMNS.items()}
        arrays |= {
            f"{entity}_offset": offsets_from_counts(np.diff(self.offset(entity))[rows]) for entity in ENTITIES[1:]
        }
        return PackedGraphs(**arrays)

    @property
    def nbytes(self) -> int:
        """Size of all arrays, bytes."""
        return sum(int(getattr(self, field.name).nbytes) for field in fields(self))


def _empty(name: str, column: Column, parts: Sequence[PackedGraphs]) -> NDArray[Any]:
    """Return no entries of an array, as wide as those of the parts; without parts, labels are those of the nine."""
    like = getattr(parts[0], name) if parts else np.empty((0, *(size or len(PROPERTIES) for size in column.shape)))
    return np.empty((0, *column.shape_like(like)), column.dtype)


def offsets_from_counts(counts: NDArray[np.integer] | NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the offsets of consecutive runs of the given lengths, shape (len(counts) + 1,).

    >>> offsets_from_counts(np.array([2, 0, 3])).tolist()
    [0, 2, 2, 5]
    """
    offsets = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=offsets[1:], dtype=np.int64)
    return offsets


def ragged_indices(offset: NDArray[np.int64], index: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the indices of all entries of the selected runs, run after run, without a loop over runs.

    >>> ragged_indices(np.array([0, 2, 2, 5]), np.array([2, 0])).tolist()
    [2, 3, 4, 0, 1]
    """
    first = offset[index]
    count = offset[index + 1] - first
    return np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
