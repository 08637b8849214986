"""Packing: from crystals to packed graphs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phase2.config.schema import GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.crystals.shown import cut
from phase2.data.graphs.neighbors import Neighbors, find_neighbors
from phase2.data.graphs.packed import PackedGraphs, offsets_from_counts
from phase2.data.graphs.quotient import QuotientGraphs, build_quotient_graphs, run_starts
from phase2.data.graphs.shells import Edges, nearest_shells
from phase2.data.sources.base import LabelledCrystal
from phase2.errors import InvalidCrystalError, LimitExceededError
from phase2.properties import PROPERTIES

_BLOCK_ATOMS = 4096  # packed together: enough to amortise numpy's overhead, few enough for the processor's cache


@dataclass(frozen=True, slots=True)
class Rejection:
    """Record that is no valid crystal.

    Attributes:
        id: Name of the record.
        reason: Why it was rejected.
        limit: Whether it exceeds a limit of reading.
    """

    id: str
    reason: str
    limit: bool = False

    @classmethod
    def of(cls, name: str, error: InvalidCrystalError) -> Rejection:
        """Return the rejection of a record for an error."""
        return cls(name, cut(str(error)), isinstance(error, LimitExceededError))


@dataclass(frozen=True, slots=True)
class Remark:
    """What was assumed or left out in reading a record that is a crystal.

    Attributes:
        id: Name of the record.
        reason: What, as a clause.
    """

    id: str
    reason: str


def pack(crystals: Iterable[LabelledCrystal | Crystal], spec: GraphSpec) -> PackedGraphs:
    """Build the graphs of crystals, in the order given; a crystal without labels gets NaN targets of the nine.

    Args:
        crystals: Crystals, with or without labels.
        spec: Cutoff and number of neighbours.

    Raises:
        InvalidCrystalError: A crystal has overlapping or isolated atoms, or a cell too large to search.
    """
    return PackedGraphs.concatenate(
        [_pack_block(block, spec) for block in _blocks(_find_all_neighbors(crystals, spec))]
    )


def pack_valid(
    crystals: Iterable[LabelledCrystal | Crystal], spec: GraphSpec
) -> tuple[PackedGraphs, tuple[Rejection, ...]]:
    """Build the graphs of the valid crystals, and list the others with the reasons."""
    rejected: list[Rejection] = []
    blocks = _blocks(_find_all_neighbors(crystals, spec, rejected))
    return PackedGraphs.concatenate([_pack_block(block, spec) for block in blocks]), tuple(rejected)


_Found = tuple[LabelledCrystal, Neighbors]


def _find_all_neighbors(
    crystals: Iterable[LabelledCrystal | Crystal], spec: GraphSpec, rejected: list[Rejection] | None = None
) -> Iterator[_Found]:
    for crystal in crystals:
        labelled = crystal if isinstance(crystal, LabelledCrystal) else _unlabelled(crystal)
        try:
            yield labelled, find_neighbors(labelled.crystal, spec.cutoff)
        except InvalidCrystalError as error:
            if rejected is None:
                raise
            rejected.append(Rejection(labelled.crystal.id, str(error)))


def _unlabelled(crystal: Crystal) -> LabelledCrystal:
    return LabelledCrystal(crystal, np.full(len(PROPERTIES), np.nan))


def _blocks(found: Iterable[_Found]) -> Iterator[list[_Found]]:
    block: list[_Found] = []
    atoms = 0
    for item in found:
        block.append(item)
        atoms += item[0].crystal.n_atoms
        if atoms >= _BLOCK_ATOMS:
            yield block
            block, atoms = [], 0
    if block:
        yield block


def _pack_block(found: list[_Found], spec: GraphSpec) -> PackedGraphs:
    crystals = [labelled.crystal for labelled, _ in found]
    n = len(crystals)
    sizes = np.array([c.n_atoms for c in crystals])
    atom_offset = offsets_from_counts(sizes)
    atom_crystal = np.repeat(np.arange(n), sizes)
    species = np.concatenate([c.species for c in crystals])
    edges = nearest_shells([neighbors for _, neighbors in found], spec.neighbors)
    quotient = build_quotient_graphs(species, atom_crystal, edges)
    bonds = _bonds(edges, atom_crystal, n)
    return PackedGraphs(
        ids=np.array([c.id for c in crystals]),
        formulas=np.array([c.formula for c in crystals]),
        lattice=np.array([c.lattice for c in crystals], dtype=np.float32),
        targets=np.array([labelled.targets for labelled, _ in found], dtype=np.float32),
        atom_offset=atom_offset,
        species=species,
        positions=np.concatenate([neighbors.positions for _, neighbors in found]).astype(np.float32),
        atom_node=quotient.atom_node.astype(np.int32),
        bond_offset=bonds.offset,
        bond_receiver=_local(edges.receiver[bonds.first], atom_offset, bonds.crystal),
        bond_sender=_local(edges.sender[bonds.first], atom_offset, bonds.crystal),
        edge_offset=_offsets(atom_crystal[edges.receiver], n),
        edge_bond=_local(bonds.of_edge, bonds.offset, atom_crystal[edges.receiver]),
        edge_shift=edges.shift,
        **_quotient_columns(quotient, n),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Bonds:
    first: NDArray[np.intp]  # first edge of each bond, (M,)
    crystal: NDArray[np.int64]  # crystal of each bond, (M,)
    offset: NDArray[np.int64]  # (B + 1,)
    of_edge: NDArray[np.int64]  # bond of each edge, counted over all crystals, (E,)


def _bonds(edges: Edges, atom_crystal: NDArray[np.int64], n: int) -> _Bonds:
    first = run_starts(edges.receiver, edges.shell, edges.sender)
    crystal = atom_crystal[edges.receiver[first]]
    counts = np.diff(first, append=len(edges.receiver))
    return _Bonds(first, crystal, _offsets(crystal, n), np.repeat(np.arange(len(first)), counts))


def _quotient_columns(quotient: QuotientGraphs, n: int) -> dict[str, Any]:
    return {
        "node_offset": _offsets(quotient.node_crystal, n),
        "node_species": quotient.node_species,
        "node_weight": quotient.node_weight.astype(np.int32),
        "link_offset": _offsets(quotient.link_crystal, n),
        "link_receiver": quotient.link_receiver.astype(np.int32),
        "link_sender": quotient.link_sender.astype(np.int32),
        "link_distance": quotient.link_length.astype(np.float32),
        "link_weight": quotient.link_weight.astype(np.int32),
    }


def _offsets(crystal: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    return offsets_from_counts(np.bincount(crystal, minlength=n))


def _local(index: NDArray[np.int64], offset: NDArray[np.int64], crystal: NDArray[np.int64]) -> NDArray[np.int32]:
    return (index - offset[crystal]).astype(np.int32)
