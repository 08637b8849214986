"""A training small enough for a test: a few dozen random crystals and a tiny network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import CgcnnConfig, GraphSpec, RunConfig
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import pack
from phase2.data.splits.draw import draw_split
from phase2.data.splits.split import Split
from phase2.data.targets import TargetScaler
from phase2.properties import get_property

PROPERTIES = (get_property("formation_energy"), get_property("band_gap"), get_property("bulk_modulus"))
TINY = CgcnnConfig(preset="small", width=8, convolutions=1, gaussians=6, trunk=8)


@dataclass(frozen=True)
class TinyData:
    """Training data; the attributes are those of :class:`phase2.training.loader.TrainingData`."""

    graphs: PackedGraphs
    targets: NDArray[np.float64]
    split: Split
    scaler: TargetScaler
    fingerprint: str = "made of salt"
    features: NDArray[np.float32] | None = None
    features_digest: str | None = None


def tiny_data() -> TinyData:
    """Make rock salts of random elements, with labels that follow from elements and cell, a third of them missing."""
    rng = np.random.default_rng(0)
    pairs = rng.integers(3, 60, (60, 2))
    edges = rng.uniform(3.5, 4.9, 60)
    salts = [
        Crystal.checked(f"salt-{k}", pair, [[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]], np.eye(3) * edge)
        for k, (pair, edge) in enumerate(zip(pairs, edges, strict=True))
    ]
    graphs = pack(salts, GraphSpec())
    mean = pairs.mean(axis=1) / 30
    targets = np.stack([edges - 4 + mean, edges - 3, 1000 / edges**3], axis=1)
    targets[rng.random(targets.shape) < 0.3] = np.nan
    targets[:, 0] = np.where(np.isnan(targets).all(axis=1), 0.1, targets[:, 0])
    parts = draw_split(graphs.ids, graphs.ids, seed=42, fractions=(0.7, 0.15, 0.15))
    return TinyData(graphs, targets, parts, TargetScaler.fit(targets[parts.train], PROPERTIES))


def tiny_config(**settings: object) -> RunConfig:
    """Make the configuration of a run on :func:`tiny_data` with these training settings."""
    config = resolve(RunRequest(algorithm="cgcnn", level="smoke")).config
    training = config.training.model_copy(update={"epochs": 3, "batch_size": 8, "lr": 0.01, **settings})
    return config.model_copy(
        update={"model": TINY, "training": training, "properties": tuple(p.key for p in PROPERTIES)}
    )
