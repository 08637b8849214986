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
from phase2.config.schema import DataConfig
from phase2.data.dataset import open_graph_store
from phase2.data.sources.columns import read_column
from phase2.data.store import store as graph_stores
from phase2.data.stored.content import ContentFile, address_of
from phase2.data.stored.manifest import SETS, GraphsManifest
from phase2.data.stored.names import name_data
from phase2.data.stored.opening import content_address, local_path, open_data_set
from phase2.errors import DataError, RequestError, TransientError, UnknownNameError
from phase2.storage.disk.checksums import sha256_of
from phase2.storage.records import to_json
from phase2.testing.watched_store import WatchedStore

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
    assert not (cache / "data").exists()  # the files themselves are not needed
    assert graphs_of(pushed.address, store).path == found.path


def test_other_settings_are_built_from_the_files(push, lines, store, cache):
    address = push(store, lines).address
    found = open_graph_store(DataConfig(source=address, graph={"cutoff": 6.0}), stored_in=store)
    assert len(found.graphs) == 6
    assert (cache / "data").is_dir()


def test_a_graph_store_that_does_not_fit_is_built_again(push, lines, store, cache, caplog):
    """Files of the right digests that are no graph store of this version."""
    address = push(store, lines).address
    shutil.rmtree(cache)
    (meta,) = [info.key for info in store.list(SETS) if info.key.endswith("meta.json")]
    (manifest,) = [info.key for info in store.list(SETS) if info.key.endswith("graphs.json")]
    found = GraphsManifest.model_validate_json(store.read(manifest))
    files = tuple(
        ContentFile(path="meta.json", bytes=2, sha256=sha256_of(b"{}")) if file.path == "meta.json" else file
        for file in found.files
    )
    other = GraphsManifest(fingerprint=found.fingerprint, folder=address_of(files).removeprefix(CONTENT), files=files)
    for file in found.files:
        content = b"{}" if file.path == "meta.json" else store.read(meta.replace("meta.json", file.path))
        store.put(manifest.replace("graphs.json", f"{other.folder}/{file.path}"), content)
    store.put(manifest, to_json(other.model_dump(mode="json")).encode())
    with caplog.at_level(logging.WARNING):
        assert len(graphs_of(address, store).graphs) == 6
    assert "It is rebuilt" in caplog.text


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
