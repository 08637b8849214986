"""A real data set that is small enough to fit in a second, and what may be done to a crystal without changing it."""

import numpy as np
import pytest

from phase2.config.schema import DataConfig
from phase2.data.dataset import CrystalPropertyDataset
from phase2.properties import CORE


@pytest.fixture(scope="session")
def graph_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def load(graph_cache):
    """Load this many crystals of the sample."""

    def dataset(max_samples: int, properties=CORE) -> CrystalPropertyDataset:
        return CrystalPropertyDataset.load(
            DataConfig(max_samples=max_samples), properties, cache=graph_cache, workers=1
        )

    return dataset


@pytest.fixture(scope="session")
def dataset(load) -> CrystalPropertyDataset:
    return load(150)


@pytest.fixture
def notes():
    """Lines for the user."""
    return []


@pytest.fixture
def orthogonal():
    """A rotation with a reflection, at random."""
    return np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
