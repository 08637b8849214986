"""Batches hold what was packed, every crystal comes once per epoch, and the loader never hangs."""

import threading
from collections import Counter
from collections.abc import Generator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from phase2.config.schema import GraphSpec
from phase2.data.batching import collate
from phase2.data.crystals.crystal import Crystal
from phase2.data.graphs.packing import pack
from phase2.data.prefetch import prefetch_batches
from phase2.data.pyg import to_pyg
from phase2.data.sampling import BalancedBatchSampler


def crystal(i, sites, a=5.0):
    rng = np.random.default_rng(i)
    corners = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])[:sites]
    lattice = a * np.eye(3) + rng.uniform(-0.2, 0.2, (3, 3))
    return Crystal.checked(f"c{i}", rng.integers(1, 80, sites), corners + rng.uniform(-0.04, 0.04, (sites, 3)), lattice)


@pytest.fixture(scope="module")
def graphs():
    return pack([crystal(i, 1 + i % 4) for i in range(9)], GraphSpec())


@pytest.fixture(scope="module")
def targets():
    values = np.arange(18, dtype=np.float32).reshape(9, 2)
    values[3, 1] = np.nan
    return values


FIELDS = {
    "crystal": {
        "species": ("atom", None),
        "positions": ("atom", None),
        "bond_receiver": ("bond", "atom"),
        "bond_sender": ("bond", "atom"),
        "edge_bond": ("edge", "bond"),
        "edge_shift": ("edge", None),
    },
    "quotient": {
        "species": ("node", None),
        "weight": ("node", None),
        "receiver": ("link", "node"),
        "sender": ("link", "node"),
        "distance": ("link", None),
        "link_weight": ("link", None),
    },
}
STORED = {
    "quotient": {
        "species": "node_species",
        "weight": "node_weight",
        "receiver": "link_receiver",
        "sender": "link_sender",
        "distance": "link_distance",
    },
    "crystal": {},
}


@pytest.mark.parametrize("view", ["crystal", "quotient"])
@pytest.mark.parametrize("index", [[4], [7, 0, 3], [2, 2], []])
def test_collate_is_gathering_one_by_one(graphs, targets, view, index):
    batch = collate(graphs, np.array(index, dtype=np.int64), targets, view)
    for field, (level, refers) in FIELDS[view].items():
        values = getattr(graphs, STORED[view].get(field, field))
        offset = graphs.offset(level)
        pieces, before = [values[:0].astype(np.float64)], 0
        for i in index:
            pieces.append(values[offset[i] : offset[i + 1]].astype(np.float64) + before)
            before += np.diff(graphs.offset(refers))[i] if refers else 0
        np.testing.assert_array_equal(getattr(batch, field).double().numpy(), np.concatenate(pieces))
    level = "atom" if view == "crystal" else "node"
    owner = batch.atom_crystal if view == "crystal" else batch.node_crystal
    assert owner.tolist() == np.repeat(np.arange(len(index)), np.diff(graphs.offset(level))[index].astype(int)).tolist()
    assert batch.n_crystals == len(index)
    assert batch.index.tolist() == index
    np.testing.assert_array_equal(batch.targets.numpy(), targets[index].reshape(-1, 2))


def test_receivers_and_edge_bonds_ascend(graphs):
    full, small = (collate(graphs, np.arange(9), None, view) for view in ("crystal", "quotient"))
    for column in (full.bond_receiver, full.edge_bond, small.receiver, full.atom_crystal, small.node_crystal):
        assert (column.diff() >= 0).all()
    assert full.targets.shape == (9, 0)


def test_both_views_count_the_same_atoms_and_edges(graphs):
    full, small = (collate(graphs, np.arange(9), None, view) for view in ("crystal", "quotient"))
    assert small.weight.sum() == len(full.species)
    assert (small.link_weight * small.weight[small.receiver]).sum() == len(full.edge_bond)


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 200), max_size=150),
    batch_size=st.integers(1, 20),
    seed=st.integers(0, 2**31),
    k=st.integers(0, 1000),
)
def test_an_epoch_holds_every_crystal_once(sizes, batch_size, seed, k):
    batches = BalancedBatchSampler(sizes, batch_size, seed)
    epoch = batches.epoch(k)
    assert Counter(int(i) for batch in epoch for i in batch) == Counter(range(len(sizes)))
    assert len(epoch) == len(batches)
    assert all(batch.dtype == np.int64 for batch in epoch)
    full = len(sizes) // batch_size
    assert all(len(batch) in (batch_size, batch_size + 1) for batch in epoch[:full])
    if batch_size > 1 and len(sizes) > 1:
        assert min(len(batch) for batch in epoch) > 1
    again = BalancedBatchSampler(sizes, batch_size, seed).epoch(k)
    assert all(np.array_equal(a, b) for a, b in zip(epoch, again, strict=True))


def test_epochs_and_seeds_differ():
    sizes = np.arange(100)
    one, two, three = (
        np.concatenate(BalancedBatchSampler(sizes, 10, seed).epoch(k)).tolist() for seed, k in ((0, 0), (0, 1), (1, 0))
    )
    assert one != two
    assert one != three


def test_batches_are_balanced_and_still_random():
    sizes = np.random.default_rng(0).lognormal(2, 1, 3200)
    batches = BalancedBatchSampler(sizes, 32, seed=1)
    work = np.concatenate([[sizes[b].sum() for b in batches.epoch(k)] for k in range(5)])
    order = np.random.default_rng(2).permutation(3200).reshape(-1, 32)
    assert work.std() < 0.5 * sizes[order].sum(axis=1).std()
    together = {frozenset((int(a), int(b))) for k in range(5) for batch in batches.epoch(k) for a, b in [batch[:2]]}
    assert len(together) > 490  # hardly a pair meets twice


def workers():
    return [t for t in threading.enumerate() if t.name.startswith("phase2-batches")]


def test_loader_gives_the_batches_in_order(graphs, targets):
    wanted = [np.array([3, 1]), np.array([0]), np.array([8, 7, 2])]
    got = list(prefetch_batches(graphs, wanted, targets, view="quotient"))
    assert [b.index.tolist() for b in got] == [w.tolist() for w in wanted]
    assert list(prefetch_batches(graphs, [], targets, view="quotient")) == []
    assert not workers()


def test_loader_works_one_batch_ahead(graphs):
    asked = []

    def batches():
        for i in range(4):
            asked.append(i)
            yield np.array([i])

    loader = prefetch_batches(graphs, batches(), None, view="crystal")
    next(loader)
    assert asked == [0, 1]
    assert isinstance(loader, Generator)
    loader.close()
    assert not workers()


def test_a_single_batch_needs_no_thread(graphs):
    loader = prefetch_batches(graphs, [np.array([0])], None, view="crystal")
    next(loader)
    assert not workers()
    assert isinstance(loader, Generator)
    loader.close()


def test_loader_raises_the_exceptions_of_its_thread(graphs):
    loader = prefetch_batches(graphs, [np.array([0]), np.array([99])], None, view="crystal")
    assert next(loader).index.tolist() == [0]
    with pytest.raises(IndexError):
        next(loader)
    assert not workers()


def test_pyg_edges_run_from_sender_to_receiver(graphs):
    data = to_pyg(graphs, 3)
    assert data.validate()
    sender, receiver = data.edge_index
    vectors = data.pos[sender] + data.shift @ data.cell[0] - data.pos[receiver]
    torch.testing.assert_close(vectors.norm(dim=1, keepdim=True), data.edge_attr)
    assert (receiver.diff() >= 0).all()
    assert (torch.bincount(receiver) >= 12).all()  # every atom receives from its shells; senders need not send as often
    assert data.y.shape == (1, 9)
    assert data.z.tolist() == graphs.species[graphs.atom_offset[3] : graphs.atom_offset[4]].tolist()
