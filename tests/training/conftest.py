"""A training small enough for a test: a few dozen random crystals and a tiny network."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from phase2.config.request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import CgcnnConfig, GraphSpec
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import pack
from phase2.data.splits import Split, split_crystals
from phase2.data.targets import TargetScaler
from phase2.properties import get_property
from phase2.training.result import TrainingFiles
from phase2.training.trainer import Trainer

PROPERTIES = (get_property("formation_energy"), get_property("band_gap"), get_property("bulk_modulus"))
TINY = CgcnnConfig(preset="small", width=8, convolutions=1, gaussians=6, trunk=8)


@dataclass(frozen=True)
class Data:
    graphs: PackedGraphs
    targets: np.ndarray
    split: Split
    scaler: TargetScaler
    fingerprint: str = "made of salt"
    features: np.ndarray | None = None
    features_digest: str | None = None


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data():
    """Rock salts of random elements, with labels that follow from elements and cell, a third of them missing."""
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
    parts = split_crystals(graphs.ids, graphs.formulas, seed=42, fractions=(0.7, 0.15, 0.15))
    return Data(graphs, targets, parts, TargetScaler.fit(targets[parts.train], PROPERTIES))


@pytest.fixture(scope="session")
def configure():
    """Make a run configuration with these training settings."""

    def make(**settings):
        config = resolve(RunRequest(algorithm="cgcnn", level="smoke")).config
        training = config.training.model_copy(update={"epochs": 3, "batch_size": 8, "lr": 0.01, **settings})
        return config.model_copy(
            update={"model": TINY, "training": training, "properties": tuple(p.key for p in PROPERTIES)}
        )

    return make


@pytest.fixture
def make_trainer(tmp_path, data, configure):
    """Make a trainer that writes into a folder of this name."""

    def make(name="run", *, callback=None, data=data, schedule=None, on_saved=lambda _: None, tuning=None, **settings):
        folder = tmp_path / name
        files = TrainingFiles(
            folder / "best.pt", folder / "checkpoint.pt", folder / ".checkpoint.previous.pt", folder / "history.json"
        )
        config = configure(**settings).model_copy(update={"fine_tuning": tuning})
        return Trainer(config, data, files, run_id="run_1", callback=callback, schedule=schedule, on_saved=on_saved)

    return make
