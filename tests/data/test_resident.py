"""Batches that are gathered on the device equal those that are collated on the host, bit for bit."""

import dataclasses

import numpy as np
import pytest
import torch

from phase2.config.schema import GraphSpec
from phase2.data.batching import collate
from phase2.data.graphs.packing import pack
from phase2.data.padding.buckets import ShapeBuckets
from phase2.data.padding.shape import batch_shapes, crystal_shapes
from phase2.data.prefetch import prefetch_batches
from phase2.data.resident import ResidentGraphs, has_room, resident_bytes
from phase2.testing.crystals import isolated, rock_salt, triclinic, zinc_blende
from phase2.testing.host_reads import host_reads

CPU = torch.device("cpu")
VIEWS = ["crystal", "quotient"]
INDICES = [[0], [1], [3, 1, 0], [4, 4, 2], [1, 1], [0, 1, 2, 3, 4], [2, 1]]


@pytest.fixture(scope="module")
def graphs():
    return pack([rock_salt(), isolated(), triclinic(), zinc_blende(), triclinic(1, 3)], GraphSpec())


@pytest.fixture(scope="module")
def arrays(graphs):
    rng = np.random.default_rng(0)
    labels = rng.normal(size=(len(graphs), 3)).astype(np.float32)
    labels[rng.random(labels.shape) < 0.4] = np.nan
    return labels, rng.normal(size=(len(graphs), 2)).astype(np.float32)


def assert_equal(found, expected):
    assert type(found) is type(expected)
    for field in dataclasses.fields(expected):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(other, torch.Tensor):
            assert one.dtype == other.dtype, field.name
            assert one.shape == other.shape, field.name
            assert torch.equal(one.isnan(), other.isnan()), field.name
            assert torch.equal(one.nan_to_num(), other.nan_to_num()), field.name
        else:
            assert one == other, field.name


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("index", INDICES, ids=str)
def test_a_gathered_batch_is_the_collated_one(graphs, arrays, view, index):
    labels, features = arrays
    rows = np.array(index)
    resident = ResidentGraphs(graphs, labels, view=view, device=CPU, features=features)
    assert_equal(resident.gather(rows), collate(graphs, rows, labels, view, features))
    without = ResidentGraphs(graphs, labels, view=view, device=CPU)
    assert_equal(without.gather(rows), collate(graphs, rows, labels, view))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("padded", [False, True])
def test_the_batches_of_both_ways_are_equal(graphs, arrays, view, padded):
    indices = [np.array(index) for index in INDICES]
    buckets = ShapeBuckets.fit(batch_shapes(crystal_shapes(graphs, view), indices), 2) if padded else None
    resident = ResidentGraphs(graphs, arrays[0], view=view, device=CPU)
    streamed = prefetch_batches(graphs, indices, arrays[0], view=view, buckets=buckets)
    for found, expected in zip(resident.batches(indices, buckets), streamed, strict=True):
        assert_equal(found, expected)


@pytest.mark.parametrize("view", VIEWS)
def test_gathering_reads_no_value(graphs, arrays, view):
    indices = [np.array(index) for index in INDICES]
    buckets = ShapeBuckets.fit(batch_shapes(crystal_shapes(graphs, view), indices), 2)
    resident = ResidentGraphs(graphs, arrays[0], view=view, device=CPU)
    assert host_reads(lambda: list(resident.batches(indices, buckets))) == []


@pytest.mark.parametrize("view", VIEWS)
def test_the_memory_is_that_of_the_arrays(graphs, arrays, view):
    resident = ResidentGraphs(graphs, arrays[0], view=view, device=CPU)
    held = sum(tensor.nbytes for tensor in (*resident._columns.values(), *resident._begins.values()))
    assert resident_bytes(graphs, view) == held
    assert held < graphs.nbytes


def test_trainings_that_share_a_gpu_share_its_room(monkeypatch):
    """The driver's answer is given, since a GPU is not at hand."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (1000, 2000))
    gpu = torch.device("cuda")
    assert (has_room(250, gpu), has_room(251, gpu)) == (True, False)
    monkeypatch.setenv("PHASE2_PACKED", "2")
    assert (has_room(125, gpu), has_room(126, gpu)) == (True, False)
