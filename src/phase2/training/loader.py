"""Loading of labelled crystals as batches."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from phase2.config.settings import packed_runs
from phase2.data.batching import Batch, View
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.padding.buckets import ShapeBuckets
from phase2.data.padding.shape import batch_shapes, crystal_shapes
from phase2.data.prefetch import prefetch_batches
from phase2.data.resident import ResidentGraphs, has_room, resident_bytes
from phase2.data.sampling import BalancedBatchSampler, balanced_shares
from phase2.data.splits.split import Split
from phase2.data.targets import TargetScaler
from phase2.data.transforms import learned_factors
from phase2.machine.rank import Rank
from phase2.runs.records.execution import Execution, PaddedShape
from phase2.training.objective import LabelWeights

EVALUATION_BATCH = 64
SAMPLED_EPOCHS = 4
"""Epochs whose batches decide the sizes that all batches are padded to."""


class TrainingData(Protocol):
    """Protocol of the data of a training; a :class:`CrystalPropertyDataset` satisfies it.

    Attributes:
        graphs: Graphs of all crystals, B of them.
        targets: Labels, (B, P) float64, physical units, NaN where missing.
        split: Crystals of the three parts.
        scaler: Fitted on the training part; knows the properties.
        features: Features of the crystals by a pretrained potential, (B, F) float32; None without one.
        features_digest: SHA-256 of the potential's weights; None without one.
        fingerprint: Digest of all of the above.
    """

    @property
    def graphs(self) -> PackedGraphs: ...  # noqa: D102

    @property
    def targets(self) -> NDArray[np.float64]: ...  # noqa: D102

    @property
    def split(self) -> Split: ...  # noqa: D102

    @property
    def scaler(self) -> TargetScaler: ...  # noqa: D102

    @property
    def features(self) -> NDArray[np.float32] | None: ...  # noqa: D102

    @property
    def features_digest(self) -> str | None: ...  # noqa: D102

    @property
    def fingerprint(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True, eq=False)
class EpochShares:
    """What one process trains of an epoch.

    Attributes:
        crystals: Its crystals of each batch, as positions in the training part.
        sizes: Crystals of each batch, all processes together.
        imbalance: Work of the process that has most of a batch / mean over the processes, over the epoch; at least 1.
    """

    crystals: list[NDArray[np.int64]]
    sizes: list[int]
    imbalance: float


class TrainingLoader:
    """Loader of batches with normalised labels, on the device of the model.

    Args:
        data: Crystals, labels, split and scaler.
        view: Kind of batch that the model reads.
        batch_size: Crystals per training batch.
        seed: Seed of the order of the crystals.
        device: Device of the model.
        padding_buckets: Most sizes that batches are padded to; None does not pad.
        resident: Keep the graphs on the device and gather batches there; None does so on a GPU that has room for them.
        rank: Which of the processes that share each training batch this is.

    Attributes:
        labels: Normalised labels, (B, P) float32, NaN where missing and, in the training part alone, where an outlier.
        size: Training crystals.
        n_batches: Batches per epoch.
        buckets: Sizes that the training batches are padded to; None without padding.
    """

    def __init__(
        self,
        data: TrainingData,
        *,
        view: View,
        batch_size: int,
        seed: int,
        device: torch.device,
        padding_buckets: int | None = None,
        resident: bool | None = None,
        rank: Rank = Rank(),  # noqa: B008 - frozen
    ) -> None:
        self._graphs = data.graphs
        self._features = data.features
        self._train = data.split.train
        self._view: View = view
        self._device = device
        self._batch_size = batch_size
        self._rank = rank
        self._sampler = BalancedBatchSampler(_work(data.graphs, view)[self._train], batch_size, seed)
        self.labels = _labels(data)
        self.size = len(self._train)
        self.n_batches = len(self._sampler)
        self._padding_buckets = padding_buckets
        self.buckets = self._fit_buckets(self._sampled(SAMPLED_EPOCHS))

        self._graph_bytes = resident_bytes(data.graphs, view)
        is_resident = has_room(self._graph_bytes, device) if resident is None else resident
        self._resident = (
            ResidentGraphs(data.graphs, self.labels, view=view, device=device, features=data.features)
            if is_resident
            else None
        )

    def epoch(self, k: int, *, skip: int = 0) -> Generator[Batch]:
        """Load the training batches of epoch ``k``, counted from 0, without the first ``skip``."""
        return self.load(self.shares(k), skip=skip)

    def load(self, shares: EpochShares, *, skip: int = 0) -> Generator[Batch]:
        """Load this process's share of the training batches of an epoch, without the first ``skip``."""
        return self._load([self._train[batch] for batch in shares.crystals[skip:]], self.buckets)

    def shares(self, k: int) -> EpochShares:
        """Divide the batches of epoch ``k``, which do not depend on the number of processes, among the processes."""
        batches, n = self._sampler.epoch(k), self._rank.processes
        if n == 1:
            return EpochShares(batches, [len(batch) for batch in batches], 1.0)
        work = self._sampler.sizes
        shares = [[batch[p] for p in balanced_shares(work[batch], n)] for batch in batches]
        loads = np.array([[work[share].sum() for share in of_batch] for of_batch in shares], np.float64)
        mean = float(loads.mean(axis=1).sum())
        return EpochShares(
            crystals=[of_batch[self._rank.number] for of_batch in shares],
            sizes=[len(batch) for batch in batches],
            imbalance=float(loads.max(axis=1).sum()) / mean if mean else 1.0,
        )

    def in_order(self, index: NDArray[np.int64]) -> Generator[Batch]:
        """Load batches of these crystals, in this order."""
        batches = [index[part] for part in self._parts(len(index))]
        return self._load(batches, self._fit_buckets(batches))

    def execution(self) -> Execution:
        """Describe where the graphs are and how training batches are padded."""
        first = batch_shapes(crystal_shapes(self._graphs, self._view), self._sampled(1)) if self.buckets else None
        packed = packed_runs()
        return Execution(
            packed=packed if packed > 1 else None,
            graphs="host" if self._resident is None else "device",
            graph_bytes=self._graph_bytes,
            padded_shapes=tuple(
                PaddedShape(crystals=one.crystals, atoms=one.atoms, bonds=one.bonds, edges=one.edges)
                for one in (self.buckets.shapes if self.buckets else ())
            ),
            padding=self.buckets.waste(first) if self.buckets and first is not None else None,
        )

    def own_parts(self, size: int) -> list[slice]:
        """Return the parts of so many crystals that this process evaluates: whole batches, as one process has them."""
        return self._parts(size)[self._rank.number :: self._rank.processes]

    def _parts(self, size: int) -> list[slice]:
        step = max(self._batch_size, EVALUATION_BATCH)
        return [slice(start, min(start + step, size)) for start in range(0, size, step)]

    def label_weights(self, exponent: float | None) -> LabelWeights | None:
        """Weigh the training labels by the number of a property's labels to a power; None stays None."""
        if exponent is None:
            return None
        return LabelWeights.from_labels(torch.from_numpy(self.labels[self._train]), self.n_batches, exponent)

    def _sampled(self, epochs: int) -> Iterator[NDArray[np.int64]]:
        """Draw this process's share of the training batches of the first epochs."""
        return (self._train[batch] for k in range(epochs) for batch in self.shares(k).crystals if len(batch))

    def _fit_buckets(self, batches: Iterable[NDArray[np.int64]]) -> ShapeBuckets | None:
        if self._padding_buckets is None:
            return None
        return ShapeBuckets.fit(batch_shapes(crystal_shapes(self._graphs, self._view), batches), self._padding_buckets)

    def _load(self, batches: list[NDArray[np.int64]], buckets: ShapeBuckets | None) -> Generator[Batch]:
        if self._resident is not None:
            yield from self._resident.batches(batches, buckets)
            return
        yield from prefetch_batches(
            self._graphs,
            batches,
            self.labels,
            view=self._view,
            device=self._device,
            features=self._features,
            buckets=buckets,
        )


def mean_neighbors(graphs: PackedGraphs, index: NDArray[np.int64]) -> float:
    """Return the edges per atom, averaged over the atoms of these crystals."""
    edges, atoms = np.diff(graphs.edge_offset)[index], np.diff(graphs.atom_offset)[index]
    return float(edges.sum() / atoms.sum())


def species_in(graphs: PackedGraphs, index: NDArray[np.int64]) -> tuple[int, ...]:
    """Return the atomic numbers that occur in these crystals, ascending."""
    crystal = np.repeat(np.arange(len(graphs)), np.diff(graphs.node_offset))
    return tuple(np.unique(graphs.node_species[np.isin(crystal, index)]).tolist())


def _work(graphs: PackedGraphs, view: View) -> NDArray[np.int64]:
    """Return the cost of each crystal: its edges, or its links where equal edges are computed once."""
    return np.diff(graphs.link_offset if view == "quotient" else graphs.edge_offset)


def _labels(data: TrainingData) -> NDArray[np.float32]:
    scaler, train = data.scaler, data.split.train
    factors = learned_factors(data.graphs, scaler.properties)
    labels = scaler.encode(data.targets, factors)
    kept = scaler.training_mask(data.targets[train], None if factors is None else factors[train])
    labels[train] = np.where(kept, labels[train], np.nan)
    return labels
