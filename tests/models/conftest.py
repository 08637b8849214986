"""Batches that the models are tested with."""

import numpy as np
import pytest
import torch

from phase2.config.schema import GraphSpec
from phase2.data.batching import collate
from phase2.data.graphs.packing import pack
from phase2.testing.crystals import isolated, rock_salt, triclinic, zinc_blende


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Small tensors only wait for more threads, and tests run side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def batch_of():
    """The whole way from crystals to a batch, in double precision unless told otherwise."""

    def make(view, *crystals, double=True):
        batch = collate(pack(crystals, GraphSpec()), np.arange(len(crystals)), None, view)
        return batch.double() if double else batch

    return make


@pytest.fixture(scope="session")
def crystals(batch_of):
    """Full geometry, float64."""
    return batch_of("crystal", rock_salt(), triclinic(), isolated(), zinc_blende())
