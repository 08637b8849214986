"""Data sets ready for training: graphs, targets, split and scaler."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.config.data.sets import CRYSTALS
from phase2.config.schema import DataConfig
from phase2.config.settings import cache_dir
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.label_remarks import label_remarks, refuse_sentinels
from phase2.data.label_spread import spread_remarks, unlearned_remarks
from phase2.data.labels import without_impossible
from phase2.data.sources.absent import refuse_absent_columns
from phase2.data.sources.columns import read_column
from phase2.data.splits.assign import AssignedSplit, SplitInput, assign_parts
from phase2.data.splits.reduce import reduce_split
from phase2.data.splits.split import Split
from phase2.data.store.store import GraphStore, open_or_build_store
from phase2.data.stored.opening import content_address, open_data_set
from phase2.data.symmetry.table import SymmetryTable, symmetry_table
from phase2.data.targets import TargetScaler
from phase2.data.transforms import learned_factors
from phase2.data.twins.drop import drop_twins
from phase2.errors import DataError
from phase2.properties import PROPERTIES, Property
from phase2.storage.base import Store
from phase2.storage.progress import ProgressCallback


@dataclass(frozen=True, slots=True)
class CrystalPropertyDataset:
    """Crystals with labels of the requested properties, split into three parts.

    Attributes:
        graphs: Graphs of all B crystals of the source.
        properties: The P requested properties.
        targets: Labels, shape (B, P), float64, in the properties' units; NaN where missing.
        split: Indices of the crystals used for training, validation and test.
        scaler: Normaliser of the targets, fitted to the training part.
        rejected: Number of records of the source that are no valid crystal.
        unlabelled: Number of crystals left out because they have no label of any requested property.
        fingerprint: SHA-256 of the crystals, labels and parts: equal fingerprints mean equal training data,
            in whatever form the labels are learned.
        store: The graph store on disk.
        assigned: The split of all crystals of the source, from which ``split`` is reduced.
        dropped_twins: Validation and test crystals that were left out for a twin in the training part; None where
            this was not asked for.
        address: Address of the content of the source, ``sha256:...``; empty for data sets that come with phase2.
        out_of_bounds: Ids of the crystals whose label lies beyond the bounds of its property, by property; such labels
            count as missing.
        features: Features of the crystals by a pretrained potential, shape (B, F), float32, memory-mapped; None without
            one.
        features_digest: SHA-256 of the potential's weights; None without one.
    """

    graphs: PackedGraphs
    properties: tuple[Property, ...]
    targets: NDArray[np.float64]
    split: Split
    scaler: TargetScaler
    rejected: int
    unlabelled: int
    fingerprint: str
    store: GraphStore
    assigned: AssignedSplit
    dropped_twins: tuple[int, int] | None = None
    address: str = ""
    features: NDArray[np.float32] | None = None
    features_digest: str | None = None
    out_of_bounds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        config: DataConfig,
        properties: Sequence[str],
        *,
        cache: Path | None = None,
        stored_in: Store | None = None,
        workers: int | None = None,
        drop_unlabelled_properties: bool = False,
        progress: ProgressCallback | None = None,
    ) -> CrystalPropertyDataset:
        """Open a data set, building and caching its graph store the first time.

        The split is drawn over all crystals of the source, so that it depends neither on the requested properties nor
        on ``max_samples``; both only reduce the three parts. Twins are dropped last: those of crystals that are
        trained on.

        Args:
            config: Source, graph settings and split.
            properties: Keys of the requested properties.
            cache: Folder of graph stores; the user's cache folder by default.
            stored_in: Store that has the data set, where it is one of a store; that of the environment by default.
            workers: Processes that build the store; one per core by default.
            drop_unlabelled_properties: Drop the properties without a label to train on, rather than fail.
            progress: Callback receiving the number of crystals done while the store is built.

        Raises:
            DataError: The source cannot be read, leaves a part without crystals, has no label of a property, or numbers
                that stand for missing labels.
            RequestError: ``max_samples`` is too small for three parts.
        """
        store = open_graph_store(config, cache=cache, stored_in=stored_in, workers=workers, progress=progress)
        graphs = store.graphs
        columns = np.array(graphs.targets, dtype=np.float64)
        assigned = assign_crystals(
            config, store, cache=cache or cache_dir(), stored_in=stored_in, workers=workers, progress=progress
        )
        whole = assigned.split
        known = config.properties
        keys = [p.key for p in known]
        requested = [keys.index(key) for key in properties]
        if not drop_unlabelled_properties:
            refuse_absent_columns(
                config,
                [known[k] for k in requested],
                columns[:, requested],
                partial(open_data_set, config.source, config.limits, known, store=stored_in, cache=cache),
            )
        columns[:, requested], beyond = without_impossible(
            columns[:, requested], [known[k] for k in requested], graphs.ids
        )
        present = np.isfinite(columns[:, requested])
        if not present[whole.train].any():
            raise _without_labels(properties, columns[whole.train], config, beyond)
        parts, dropped = drop_twins(reduce_split(whole, present, config), graphs, config)
        kept = [k for k in requested if not np.isnan(columns[parts.train, k]).all()]
        if not kept or (len(kept) < len(requested) and not drop_unlabelled_properties):
            missing = [keys[k] for k in requested if k not in kept]
            cut = len(parts.train) + len(parts.val) + len(parts.test) == config.max_samples
            raise _without_labels(missing, columns[parts.train], config, beyond, cut=cut)
        chosen = tuple(config.as_learned(known[k]) for k in kept)
        targets = columns[:, kept]
        if config.source not in CRYSTALS:  # a published data set has what it has
            refuse_sentinels(targets, chosen, graphs.ids)
        return cls(
            graphs=graphs,
            properties=chosen,
            targets=targets,
            split=parts,
            scaler=_fit_scaler(graphs, targets, parts.train, chosen),
            rejected=len(store.rejected),
            unlabelled=int((~present.any(axis=1)).sum()),
            fingerprint=_fingerprint(store.fingerprint, parts.fingerprint(graphs.ids), [known[k] for k in kept]),
            store=store,
            assigned=assigned,
            dropped_twins=dropped,
            address=content_address(config.source, store=stored_in),
            out_of_bounds={key: ids for key, ids in beyond.items() if key in {p.key for p in chosen}},
        )

    def label_remarks(self) -> tuple[str, ...]:
        """Remark on labels that are hardly right, and on those of the training part that teach little."""
        used = np.sort(np.concatenate([self.split.train, self.split.val, self.split.test]))
        train = np.sort(self.split.train)
        return (
            *label_remarks(self.targets[used], self.properties, self.graphs.ids[used]),
            *spread_remarks(self.targets[train], self.properties, self.graphs.ids[train], what="training labels"),
            *unlearned_remarks(self.targets[train], self._learned(train), self.properties, self.graphs.ids[train]),
        )

    def _learned(self, train: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Select the labels of training crystals that are learned, (B, P) bool."""
        factors = learned_factors(self.graphs, self.properties)
        return self.scaler.training_mask(self.targets[train], None if factors is None else factors[train])

    def label_counts(self) -> dict[str, dict[str, int]]:
        """Count the labels of each property in each part: ``{"train": {"band_gap": 812, ...}, ...}``."""
        present = ~np.isnan(self.targets)
        return {
            part: {p.key: int(present[index, k].sum()) for k, p in enumerate(self.properties)}
            for part, index in (("train", self.split.train), ("val", self.split.val), ("test", self.split.test))
        }


def _fit_scaler(
    graphs: PackedGraphs, targets: NDArray[np.float64], train: NDArray[np.int64], properties: Sequence[Property]
) -> TargetScaler:
    factors = learned_factors(graphs, properties)
    return TargetScaler.fit(targets[train], properties, None if factors is None else factors[train])


def open_graph_store(
    config: DataConfig,
    *,
    cache: Path | None = None,
    stored_in: Store | None = None,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> GraphStore:
    """Open the graph store of a data set, building it first if there is none.

    Args:
        config: Source and graph settings.
        cache: Folder of graph stores; the user's cache folder by default.
        stored_in: Store that has the data set, where it is one of a store; that of the environment by default.
        workers: Processes that build the store; one per core by default.
        progress: Callback receiving the number of crystals done while the store is built.

    Raises:
        DataError: The source cannot be read or holds no valid crystal.
        TransientError: The data set cannot be fetched now, or the disk has too little room.
        RequestError: The cache folder cannot be written, or the number of workers is not positive.
    """
    return open_or_build_store(
        open_data_set(config.source, config.limits, config.properties, store=stored_in, cache=cache),
        config.graph,
        cache_dir=cache or cache_dir(),
        workers=workers,
        limits=config.limits,
        progress=progress,
    )


def assign_crystals(
    config: DataConfig,
    store: GraphStore,
    *,
    cache: Path,
    stored_in: Store | None,
    workers: int | None,
    progress: ProgressCallback | None,
) -> AssignedSplit:
    """Divide all crystals of an open graph store as the settings say; the arguments are those of its opening.

    Raises:
        DataError: The crystals cannot be divided so.
    """

    def symmetry() -> SymmetryTable:
        return symmetry_table(store, cache_dir=cache, workers=workers, progress=progress)

    def column(name: str) -> Mapping[str, str]:
        return read_column(open_data_set(config.source, config.limits, config.properties, store=stored_in), name)

    return assign_parts(config, SplitInput(store.graphs, [one.id for one in store.rejected], symmetry, column))


def _without_labels(
    missing: Sequence[str],
    train: NDArray[np.float64],
    config: DataConfig,
    beyond: Mapping[str, Sequence[str]],
    *,
    cut: bool = False,
) -> DataError:
    if refused := [key for key in missing if key in beyond]:
        counts = " and ".join(f"{len(beyond[key]):,} labels of {key}, as of {beyond[key][0]}," for key in refused)
        return DataError(
            f"No label of {', '.join(refused)} is left in the training part of '{config.source}'.",
            why=f"{counts} lie beyond the bounds that the property is defined with.",
            fix="Correct lower and upper, which are in the unit of the property, or the labels.",
        )
    available = [p.key for p, column in zip(config.properties, train.T, strict=True) if not np.isnan(column).all()]
    kept = f" of the {config.max_samples} crystals that the level or --max-samples keeps" if cut else ""
    request = f"Request those with --properties {','.join(available)}" if available else "Define one with --property"
    return DataError(
        f"The training part of '{config.source}' has no label for {', '.join(missing)}.",
        why=f"The {len(train)} training crystals{kept} have labels for {', '.join(available) or 'no property'}.",
        fix=f"{request}, use more crystals, or name another data set with --data.",
    )


def _fingerprint(store: str, parts: str, properties: Sequence[Property]) -> str:
    own = "".join(
        f"|{p.transform} {p.per} {p.lower} {p.upper}" for p in properties if p not in PROPERTIES and p.task != "binary"
    )
    return hashlib.sha256(f"{store}|{parts}|{','.join(p.key for p in properties)}{own}".encode()).hexdigest()
