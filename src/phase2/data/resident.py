"""Graphs on the device of the model, where batches are gathered by index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phase2.config.settings import packed_runs
from phase2.data.batching import Batch, CrystalBatch, QuotientBatch, View
from phase2.data.graphs.packed import COLUMNS, PackedGraphs
from phase2.data.padding.buckets import ShapeBuckets
from phase2.data.padding.pad import pad
from phase2.data.padding.shape import BatchShape

_COLUMNS: dict[View, tuple[str, ...]] = {
    "crystal": ("lattice", "species", "positions", "bond_receiver", "bond_sender", "edge_bond", "edge_shift"),
    "quotient": ("node_species", "node_weight", "link_receiver", "link_sender", "link_distance", "link_weight"),
}
MOST_SHARE = 0.25
"""Largest part of a GPU's free memory that graphs may take; the rest is for the network and its steps."""

_ENTITIES: dict[View, tuple[str, ...]] = {"crystal": ("atom", "bond", "edge"), "quotient": ("node", "link")}


def resident_bytes(graphs: PackedGraphs, view: View) -> int:
    """Return the memory that the graphs take on a device, for one kind of batches, bytes."""
    offsets = sum(int(graphs.offset(entity).nbytes) for entity in _ENTITIES[view])
    return offsets + sum(int(getattr(graphs, name).nbytes) for name in _COLUMNS[view])


def has_room(nbytes: int, device: torch.device) -> bool:
    """Tell whether graphs take a small enough part of the free memory of a GPU to be kept there; False for the CPU.

    Trainings that share the GPU share that part.

    Args:
        nbytes: Memory of the graphs and labels, bytes.
        device: The device.
    """
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return nbytes <= MOST_SHARE * free / packed_runs()


class ResidentGraphs:
    """Packed graphs with their labels on a device.

    A batch is gathered by arithmetic of indices on the device: only the rows of its crystals are sent there, and no
    value is read back. It equals that of :func:`phase2.data.batching.collate` bit for bit.

    Args:
        graphs: Graphs of all crystals of a store.
        targets: Normalised labels of all crystals, P per row of the store, float32, NaN where missing.
        view: Kind of batch that the model reads.
        device: Where to.
        features: Features of all crystals by a pretrained potential, F per row of the store, float32; None for none.
    """

    def __init__(
        self,
        graphs: PackedGraphs,
        targets: NDArray[np.float32],
        *,
        view: View,
        device: torch.device,
        features: NDArray[np.float32] | None = None,
    ) -> None:
        self._view = view
        self._device = device
        self._offsets = {entity: graphs.offset(entity) for entity in _ENTITIES[view]}
        self._begins = {entity: _copied(offset, device) for entity, offset in self._offsets.items()}
        self._columns = {name: _copied(getattr(graphs, name), device) for name in _COLUMNS[view]}
        self._targets = _copied(targets, device)
        self._features = None if features is None else _copied(features, device)

    def batches(self, indices: Iterable[NDArray[np.int64]], buckets: ShapeBuckets | None = None) -> Iterator[Batch]:
        """Gather batches on the device.

        Args:
            indices: Crystals of each batch, as rows of the store, (B,) int64 each.
            buckets: Sizes that the batches are padded to; None leaves them as they are.

        Yields:
            The batches, in the order given.
        """
        for index in indices:
            batch = self.gather(index)
            yield batch if buckets is None else pad(batch, buckets.choose(BatchShape.of(batch)))

    def gather(self, index: NDArray[np.int64]) -> Batch:
        """Gather crystals, rows of the store, (B,) int64, into one batch in their order."""
        where = torch.from_numpy(np.ascontiguousarray(index, dtype=np.int64))
        if self._device.type == "cuda":
            where = where.pin_memory().to(self._device, non_blocking=True)
        entries = {
            entity: _Entries(self._begins[entity], where, int((offset[index + 1] - offset[index]).sum()))
            for entity, offset in self._offsets.items()
        }
        features = None if self._features is None else self._features.index_select(0, where)
        return (self._crystals if self._view == "crystal" else self._quotients)(entries, where, features)

    def _crystals(self, entries: dict[str, _Entries], index: Tensor, features: Tensor | None) -> CrystalBatch:
        atoms, bonds, edges = (entries[name] for name in _ENTITIES["crystal"])
        return CrystalBatch(
            species=self._take("species", entries).long(),
            positions=self._take("positions", entries),
            lattice=self._columns["lattice"].index_select(0, index),
            atom_crystal=atoms.owner,
            bond_receiver=bonds.shifted(self._take("bond_receiver", entries), atoms),
            bond_sender=bonds.shifted(self._take("bond_sender", entries), atoms),
            edge_bond=edges.shifted(self._take("edge_bond", entries), bonds),
            edge_shift=self._take("edge_shift", entries).float(),
            n_crystals=len(index),
            targets=self._targets.index_select(0, index),
            index=index,
            features=features,
        )

    def _quotients(self, entries: dict[str, _Entries], index: Tensor, features: Tensor | None) -> QuotientBatch:
        nodes, links = (entries[name] for name in _ENTITIES["quotient"])
        return QuotientBatch(
            species=self._take("node_species", entries).long(),
            weight=self._take("node_weight", entries).float(),
            node_crystal=nodes.owner,
            receiver=links.shifted(self._take("link_receiver", entries), nodes),
            sender=links.shifted(self._take("link_sender", entries), nodes),
            distance=self._take("link_distance", entries),
            link_weight=self._take("link_weight", entries).float(),
            n_crystals=len(index),
            targets=self._targets.index_select(0, index),
            index=index,
            features=features,
        )

    def _take(self, name: str, entries: dict[str, _Entries]) -> Tensor:
        return self._columns[name].index_select(0, entries[COLUMNS[name].entity].rows)


class _Entries:
    """The atoms, bonds, edges, nodes or links of selected crystals among those of all crystals."""

    def __init__(self, begins: Tensor, index: Tensor, total: int) -> None:
        begin = begins.index_select(0, index)
        counts = begins.index_select(0, index + 1) - begin
        ends = counts.cumsum(0)
        self.start = ends - counts
        each = torch.arange(total, device=index.device)
        self.owner = torch.searchsorted(ends, each, right=True)
        self.rows = each + (begin - self.start).index_select(0, self.owner)

    def shifted(self, values: Tensor, target: _Entries) -> Tensor:
        """Shift indices that are local to a crystal to its rows in the batch."""
        return values + target.start.index_select(0, self.owner)


def _copied(array: NDArray[np.generic], device: torch.device) -> Tensor:
    """Copy an array, which may be mapped from a file that cannot be written, to a device."""
    return torch.from_numpy(np.array(array)).to(device)
