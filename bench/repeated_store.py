"""Graph stores of any size, and the loader of a training on all of their crystals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.perturbed import perturbed
from phase2.config.schema import GraphSpec
from phase2.data.batching import View
from phase2.data.crystals.formats.jarvis import from_jarvis
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import pack
from phase2.data.sources.base import LabelledCrystal, read_labels
from phase2.data.splits.split import Split
from phase2.data.store.files import read_graph_files
from phase2.data.store.unfinished import publish
from phase2.data.store.writer import GraphWriter
from phase2.data.targets import TargetScaler
from phase2.properties import PROPERTIES, get_property
from phase2.training.loader import TrainingLoader

DIFFERENT = 2_000
BATCH = 64
LEARNED = (get_property("formation_energy"), get_property("band_gap"))


def write_store(folder: Path, crystals: int) -> int:
    """Write a graph store of perturbed crystals into a new folder; return the size of its files, bytes."""
    unfinished = folder.with_name(f".{folder.name}.unfinished")
    unfinished.mkdir()
    writer, models, rng = GraphWriter(unfinished, {}), _models(), np.random.default_rng(0)
    for start in range(0, crystals, DIFFERENT):
        writer.append(models.take(rng.permutation(len(models))[: crystals - start]), ())
    writer.finish({"fingerprint": ""})
    writer.close()
    publish(unfinished, folder)
    return sum(path.stat().st_size for path in folder.iterdir())


@cache
def _models() -> PackedGraphs:
    records = perturbed(DIFFERENT)
    return pack((LabelledCrystal(from_jarvis(one), read_labels(one, str(one["jid"]))) for one in records), GraphSpec())


@dataclass(frozen=True)
class Stored:
    """Data of a training on all crystals of a store; the attributes are those of `TrainingData`."""

    graphs: PackedGraphs
    targets: NDArray[np.float64]
    split: Split
    scaler: TargetScaler
    fingerprint: str = ""
    features: NDArray[np.float32] | None = None
    features_digest: str | None = None

    @classmethod
    def open(cls, folder: Path) -> Stored:
        """Open a store that `write_store` wrote."""
        graphs = read_graph_files(folder, "").graphs
        targets = np.array(graphs.targets[:, [PROPERTIES.index(p) for p in LEARNED]], dtype=np.float64)
        none = np.empty(0, dtype=np.int64)
        split = Split(np.arange(len(graphs)), none, none)
        return cls(graphs, targets, split, TargetScaler.fit(targets, LEARNED))


def loader_of(folder: Path, view: View, batch_size: int = BATCH) -> TrainingLoader:
    """Open a store and load its batches as a training does."""
    return TrainingLoader(Stored.open(folder), view=view, batch_size=batch_size, seed=0, device=torch.device("cpu"))
