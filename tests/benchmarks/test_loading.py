"""What holds of loading batches from stores of any size: every crystal once, memory of the batch, one copy for all."""

import numpy as np
import pytest
from bench.loading import Endless, load_epoch, two_processes
from bench.own_memory import peak_memory
from bench.repeated_store import DIFFERENT, Stored, loader_of, write_store

VIEWS = ("crystal", "quotient")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """5,000 crystals: two and a half times the different ones."""
    folder = tmp_path_factory.mktemp("stores") / "store"
    write_store(folder, 5_000)
    return folder


def test_the_store_repeats_the_different_crystals(store):
    graphs = Stored.open(store).graphs
    names, counts = np.unique(graphs.ids, return_counts=True)
    assert (len(graphs), len(names)) == (5_000, DIFFERENT)
    assert set(counts) == {2, 3}
    sizes = np.diff(graphs.edge_offset)
    assert all(len(np.unique(sizes[graphs.ids == name])) == 1 for name in names[:20])


@pytest.mark.parametrize("view", VIEWS)
def test_an_epoch_loads_every_crystal_once(store, view):
    rows = np.concatenate([batch.index.numpy() for batch in loader_of(store, view).epoch(3)])
    np.testing.assert_array_equal(np.sort(rows), np.arange(5_000))


def test_loading_in_pieces_passes_from_epoch_to_epoch(store):
    endless = Endless(loader_of(store, "quotient"))
    assert endless.load(12_000) > 0
    assert endless.drawing > 0


@pytest.mark.slow
def test_two_processes_have_one_copy_of_the_store(store):
    answers = two_processes(store)
    for answer in answers:
        assert answer["rss"] > 5
        assert answer["anonymous"] == 0
    assert sum(answer["pss"] for answer in answers) < 1.1 * max(answer["rss"] for answer in answers)


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
def test_memory_of_an_epoch_is_that_of_its_batches(tmp_path, view):
    size = write_store(tmp_path / "store", 100_000)
    loader = loader_of(tmp_path / "store", view)
    load_epoch(loader, 0)
    with peak_memory() as peak:
        load_epoch(loader, 1)
    assert size > 400e6
    assert peak[0] < 16e6 + 16 * 100_000  # the order of the crystals, and batches
