"""Fetching data: with an empty cache, once for all processes, resumed, verified, and with room for it."""

import logging
import multiprocessing
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest

from phase2.config.data.addresses import CONTENT
from phase2.config.data.own_properties import PropertyDefinition
from phase2.config.schema import DataConfig
from phase2.data.dataset import open_graph_store
from phase2.data.sources.columns import read_column
from phase2.data.store import store as graph_stores
from phase2.data.stored.content import address_of, read_content
from phase2.data.stored.manifest import SETS, GraphsManifest
from phase2.data.stored.names import name_data
from phase2.data.stored.opening import content_address, local_path, open_data_set
from phase2.errors import DataError, RequestError, TransientError, UnknownNameError
from phase2.storage.records import to_json
from phase2.testing.stores.watched_store import WatchedStore

from .conftest import SALTS


@pytest.fixture(params=["folder", "lines"])
def data(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def pushed(push, store, data, cache):
    """A data set in the store, and no other copy of it: neither the cache nor the files of the person."""
    done = push(store, data)
    shutil.rmtree(cache)
    return done


def graphs_of(address, store=None):
    return open_graph_store(DataConfig(source=address), stored_in=store)


def test_the_graphs_are_fetched_and_equal_and_nothing_is_built(pushed, store, data, cache, monkeypatch):
    monkeypatch.setattr(graph_stores, "build_files", None)  # nothing is built
    found = graphs_of(pushed.address, store)
    assert found.path == graphs_of(str(data)).path  # as if they had been built here
    assert sorted(found.graphs.ids.tolist()) == sorted(f"{a}{b}" for a, b in SALTS) or data.is_dir()
    assert np.nanmin(found.graphs.targets) == -1.25
    assert graphs_of(pushed.address, store).path == found.path


def test_other_settings_are_built_from_the_files(push, lines, store, cache):
    address = push(store, lines).address
    found = open_graph_store(DataConfig(source=address, graph={"cutoff": 6.0}), stored_in=store)
    assert len(found.graphs) == 6
    assert (cache / "data").is_dir()


def replace_graphs(store, here, change):
    """Store other graphs in place of those of a data set, with the digests and the manifest that they need."""
    (manifest,) = [info.key for info in store.list(SETS) if info.key.endswith("graphs.json")]
    found = GraphsManifest.model_validate_json(store.read(manifest))
    here.mkdir()
    for file in found.files:
        store.get(manifest.replace("graphs.json", f"{found.folder}/{file.path}"), here / file.path)
    change(here)
    files = read_content(here, everything=True)
    folder = address_of(files).removeprefix(CONTENT)
    for file in files:
        store.put(manifest.replace("graphs.json", f"{folder}/{file.path}"), here / file.path)
    other = GraphsManifest(fingerprint=found.fingerprint, folder=folder, files=files)
    store.put(manifest, to_json(other.model_dump(mode="json")).encode())


def changed_array(name, change):
    def do(folder):
        array = np.load(folder / f"{name}.npy")
        change(array)
        np.save(folder / f"{name}.npy", array)

    return do


def test_a_graph_store_that_does_not_fit_is_built_again(pushed, store, tmp_path, caplog):
    """Files of the right digests that are no graph store of this version."""
    replace_graphs(store, tmp_path / "other", lambda folder: (folder / "meta.json").write_text("{}"))
    with caplog.at_level(logging.WARNING):
        assert len(graphs_of(pushed.address, store).graphs) == 6
    assert "It is rebuilt" in caplog.text


TAMPERED = {
    "a label": (changed_array("targets", lambda a: np.put(a, 0, 2.5)), "labels of"),
    "a label that there is not": (changed_array("targets", lambda a: np.put(a, 1, 2.5)), "labels of"),
    "an element": (changed_array("species", lambda a: np.put(a, 2, 5)), "graph of"),
    "a length": (changed_array("link_distance", lambda a: np.put(a, 0, a[0] + 0.01)), "graph of"),
    "an edge": (changed_array("edge_shift", lambda a: np.put(a, 0, a.flat[0] + 1)), "graph of"),
    "a name": (changed_array("ids", lambda a: np.put(a, 0, "XX")), "is missing"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_graphs_that_are_not_those_of_the_files_are_never_used(what, pushed, store, tmp_path, caplog, cache):
    change, said = TAMPERED[what]
    replace_graphs(store, tmp_path / "other", change)
    with caplog.at_level(logging.WARNING):
        found = graphs_of(pushed.address, store)
    assert "are not those of its files" in caplog.text
    assert said in caplog.text
    right = graphs_of(str(tmp_path / ("salts" if (tmp_path / "salts").is_dir() else "salts.jsonl")))
    np.testing.assert_array_equal(found.graphs.targets, right.graphs.targets)
    np.testing.assert_array_equal(found.graphs.species, right.graphs.species)
    assert not [path.name for path in (cache / "graphs").iterdir() if "fetched" in path.name and path.is_dir()]


def test_of_a_folder_some_structures_are_compared_and_all_labels(push, folder, store, tmp_path, cache, monkeypatch):
    address = push(store, folder).address
    shutil.rmtree(cache)
    monkeypatch.setattr(graph_stores, "CHECKED", 2)
    watched = WatchedStore(store)
    assert len(graphs_of(address, watched).graphs) == 6
    assert len([key for key in watched.reads if key.endswith(".vasp")]) == 2
    assert list((cache / "data").iterdir()) == []
    shutil.rmtree(cache)
    replace_graphs(store, tmp_path / "other", changed_array("targets", lambda a: np.put(a, a.size - 9, 2.5)))
    watched = WatchedStore(store)
    assert graphs_of(address, watched).graphs.targets[-1, 0] == -1.25
    assert len([key for key in watched.reads if key.endswith(".vasp")]) == 8  # two, and then all that are built


def test_of_graphs_that_are_there_only_labels_are_read_for_a_property_of_ones_own(
    push, lines, store, cache, monkeypatch
):
    lines.write_text(lines.read_text().replace('"id"', '"heat": 7.5, "id"'))
    address = push(store, lines).address
    shutil.rmtree(cache)
    monkeypatch.setattr("phase2.data.store.builder.pack_chunks", None)  # nothing is built
    heat = PropertyDefinition(key="heat")
    found = open_graph_store(DataConfig(source=address, own_properties=(heat,)), stored_in=store)
    assert found.graphs.targets[:, 9].tolist() == [7.5] * 6


def test_a_damaged_file_in_the_store_is_refused(pushed, store, cache):
    for info in list(store.list(SETS)):
        if info.key.endswith(("targets.npy", "targets.csv", ".jsonl")):
            store.put(info.key, os.urandom(info.size))
    with pytest.raises(DataError, match="expected content"):
        graphs_of(pushed.address, store)
    with pytest.raises(DataError, match="expected content"):
        local_path(pushed.address, store=store)
    assert not [path for path in (cache / "data").glob("*") if path.is_dir() and not path.name.endswith(".partial")]


def test_the_files_are_those_that_were_pushed(pushed, store, data, cache):
    found = local_path(pushed.address, store=store)
    assert found.is_dir() == data.is_dir()
    assert content_address(str(found)) == content_address(str(data)) == pushed.address
    assert open_data_set(str(found)).fingerprint == open_data_set(str(data)).fingerprint


def test_columns_are_those_of_the_files(push, lines, store, cache):
    lines.write_text(lines.read_text().replace('"id"', '"kind": "salt", "id"'))
    source = open_data_set(push(store, lines).address, store=store)
    assert set(read_column(source, "kind").values()) == {"salt"}


def test_what_was_fetched_is_not_fetched_again_and_what_was_removed_is(pushed, store, cache):
    watched = WatchedStore(store)
    found = local_path(pushed.address, store=watched)
    count = len(watched.reads)
    local_path(pushed.address, store=watched)
    assert len(watched.reads) == count + 1  # the manifest
    next(path for path in (found.rglob("*") if found.is_dir() else [found]) if path.is_file()).unlink()
    assert local_path(pushed.address, store=watched) == found
    assert content_address(str(found)) == pushed.address


def test_an_interrupted_fetch_is_resumed(push, store, folder, cache):
    address = push(store, folder).address

    class Ends(WatchedStore):
        def get(self, key, target, *, sha256=None):
            if len([one for one in self.reads if "source" in one]) >= 3:
                raise TransientError("The connection ended.")
            return super().get(key, target, sha256=sha256)

    with pytest.raises(TransientError):
        local_path(address, store=Ends(store))
    watched = WatchedStore(store)
    local_path(address, store=watched)
    assert len([key for key in watched.reads if "source" in key]) == 7 - 3


def test_of_several_processes_one_fetches(push, store, folder, cache):
    address = push(store, folder).address
    shutil.rmtree(cache)
    context = multiprocessing.get_context("fork")
    reads = context.Queue()
    barrier = context.Barrier(4)

    def work():
        watched = WatchedStore(store)
        barrier.wait()
        graphs_of(address, watched)
        local_path(address, store=watched)
        reads.put(len([key for key in watched.reads if key.endswith(("targets.csv", "targets.npy"))]))

    crowd = [context.Process(target=work) for _ in range(4)]
    for process in crowd:
        process.start()
    found = [reads.get(timeout=60) for _ in crowd]
    for process in crowd:
        process.join()
    assert sum(found) == 2  # once the graphs, and once the files


def test_threads_of_one_process_wait_for_each_other(push, store, folder, cache):
    address = push(store, folder).address
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: local_path(address, store=store), range(4)))) == 1


def test_a_disk_that_is_too_small_is_named_before_anything_is_fetched(pushed, store, cache, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100))
    watched = WatchedStore(store)
    with pytest.raises(TransientError, match=r"[\d,]+ bytes are needed, and 100 are free"):
        graphs_of(pushed.address, watched)
    with pytest.raises(TransientError, match="too little room"):
        local_path(pushed.address, store=watched)
    assert not [key for key in watched.reads if not key.endswith(("data.json", "graphs.json"))]


def test_names_and_cut_digits_open_the_data_and_wrong_ones_offer_the_nearest(pushed, store, monkeypatch):
    name_data(store, "salts", pushed.address)
    monkeypatch.setenv("PHASE2_STORE", store.url)
    for address in ("salts", pushed.address[:20]):
        assert open_data_set(address).name == pushed.address
    with pytest.raises(UnknownNameError, match="Did you mean 'salts'"):
        open_data_set("salt")
    with pytest.raises(RequestError, match="No data sets"):
        open_data_set(CONTENT + "0123456789")
    monkeypatch.delenv("PHASE2_STORE")
    with pytest.raises(RequestError, match="no store is known"):
        open_data_set(pushed.address)
    with pytest.raises(UnknownNameError):
        open_data_set("salts")
