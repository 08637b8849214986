"""Laws of padded batches."""

import dataclasses

import numpy as np
import pytest
import torch

from phase2.config.schema import GraphSpec
from phase2.data.batching import CrystalBatch, QuotientBatch, collate
from phase2.data.graphs.packing import pack
from phase2.data.padding.buckets import ShapeBuckets
from phase2.data.padding.pad import PADDING_LENGTH, pad
from phase2.data.padding.shape import BatchShape, batch_shapes, crystal_shapes
from phase2.data.prefetch import prefetch_batches
from phase2.models.layers.tensor_product import edge_vectors
from phase2.testing.crystals import isolated, rock_salt, triclinic, zinc_blende

VIEWS = ["crystal", "quotient"]


@pytest.fixture(scope="module")
def graphs():
    return pack([rock_salt(), isolated(), triclinic(), zinc_blende(), triclinic(1)], GraphSpec())


@pytest.fixture(scope="module")
def arrays(graphs):
    """Labels and features of the crystals, some of them missing."""
    rng = np.random.default_rng(0)
    labels = rng.normal(size=(len(graphs), 3)).astype(np.float32)
    labels[rng.random(labels.shape) < 0.4] = np.nan
    return labels, rng.normal(size=(len(graphs), 2)).astype(np.float32)


@pytest.mark.parametrize("view", VIEWS)
def test_the_sizes_of_crystals_add_up_to_that_of_their_batch(graphs, view):
    index = np.array([3, 0, 1])
    (row,) = batch_shapes(crystal_shapes(graphs, view), [index])
    assert BatchShape(*row) == BatchShape.of(collate(graphs, index, None, view))


@pytest.mark.parametrize("view", VIEWS)
def test_a_padded_batch_begins_with_the_batch_and_has_the_size(graphs, arrays, view):
    batch = collate(graphs, np.array([2, 1, 0]), arrays[0], view, arrays[1])
    shape = ShapeBuckets.fit(np.array([BatchShape.of(batch)]) * 2, 1).shapes[0]
    padded = pad(batch, shape)
    assert BatchShape.of(padded) == shape
    assert padded.n_real == 3
    assert padded.padding == shape.crystals - 3
    for field in dataclasses.fields(batch):
        old, new = getattr(batch, field.name), getattr(padded, field.name)
        if isinstance(old, torch.Tensor):
            assert new.dtype == old.dtype
            assert torch.equal(torch.nan_to_num(new[: len(old)], 99.0), torch.nan_to_num(old, 99.0))
    assert padded.targets[3:].isnan().all()
    assert padded.index[3:].eq(-1).all()


def test_padding_of_the_quotient_graph_weighs_nothing(graphs):
    batch = collate(graphs, np.array([2, 1, 0]), None, "quotient")
    padded = pad(batch, BatchShape(5, 32, 80, 0))
    assert isinstance(padded, QuotientBatch)
    nodes, links = len(batch.species), len(batch.sender)
    assert padded.weight[nodes:].eq(0).all()
    assert padded.link_weight[links:].eq(0).all()
    for ends in (padded.receiver, padded.sender):
        assert ends[links:].min() >= nodes
        assert ends.max() < 32
    assert padded.receiver.diff().min() >= 0
    assert padded.node_crystal.diff().min() >= 0
    assert padded.node_crystal[nodes:].min() >= 3


def test_every_bond_of_the_padding_is_longer_than_any_cutoff_and_within_it(graphs):
    batch = collate(graphs, np.array([2, 1, 0]), None, "crystal")
    atoms, bonds, edges = len(batch.species), len(batch.bond_sender), len(batch.edge_bond)
    padded = pad(batch, BatchShape(5, 64, bonds + 40, edges - bonds + 8))
    assert isinstance(padded, CrystalBatch)
    assert set(padded.edge_bond[edges:].tolist()) == set(range(bonds, bonds + 40))
    assert torch.equal(edge_vectors(padded)[:edges], edge_vectors(batch))
    assert torch.allclose(edge_vectors(padded)[edges:].norm(dim=1), torch.tensor(PADDING_LENGTH))
    for ends in (padded.bond_receiver, padded.bond_sender):
        assert set(ends[bonds:].tolist()) <= set(range(atoms, 64))
    for ascending in (padded.bond_receiver, padded.edge_bond, padded.atom_crystal):
        assert ascending.diff().min() >= 0


def test_padding_is_spread_over_its_atoms(graphs):
    batch = collate(graphs, np.array([0]), None, "quotient")
    padded = pad(batch, BatchShape(2, len(batch.species) + 8, len(batch.sender) + 80, 0))
    counts = torch.bincount(padded.receiver)[len(batch.species) :]
    assert counts.tolist() == [10] * 8


@pytest.mark.parametrize("view", VIEWS)
def test_prefetched_batches_are_padded_to_their_buckets(graphs, arrays, view):
    index = [np.array([0, 1]), np.array([2]), np.array([4, 3, 2])]
    buckets = ShapeBuckets.fit(batch_shapes(crystal_shapes(graphs, view), index), 2)
    got = list(prefetch_batches(graphs, index, arrays[0], view=view, buckets=buckets))
    assert [b.n_real for b in got] == [2, 1, 3]
    assert {BatchShape.of(b) for b in got} == set(buckets.shapes)
    assert [b.index[: b.n_real].tolist() for b in got] == [i.tolist() for i in index]
