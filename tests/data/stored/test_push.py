"""Pushing data: a store has the whole data set or none of it, and stores the same content once."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from phase2.data.stored.catalog import delete_data, list_data
from phase2.data.stored.content import address_of, count_left_out, local_files, read_content
from phase2.data.stored.manifest import DataMissingError, manifest_key, read_data_manifest, source_prefix
from phase2.data.stored.opening import open_data_set
from phase2.data.stored.push import LocalData
from phase2.data.stored.upload import Upload
from phase2.errors import DataError, RequestError
from phase2.storage.parallel import ByteCounter
from phase2.testing.stores.watched_store import Killed, KillingStore, WatchedStore


def is_whole(store, address) -> bool:
    """Return whether the store has the data set, with all its files; fail where it has a part of it."""
    try:
        found = read_data_manifest(store, address)
    except DataMissingError:
        return False
    for file in found.files:
        info = store.head(source_prefix(address) + file.path)
        assert (info.size, info.sha256) == (file.bytes, file.sha256)
    return True


def test_the_address_is_what_sha256sum_says_of_the_files(folder):
    found = read_content(folder)
    assert len(found) == 7  # without the wave functions
    script = "find . -type f ! -name WAVECAR | sed 's,^./,,' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    said = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert address_of(found) == f"sha256:{said.split()[0]}"


def test_the_address_follows_names_and_content_alone(folder, tmp_path):
    before = address_of(read_content(folder))
    os.utime(folder / "targets.csv", (1, 1))
    assert address_of(read_content(folder.rename(tmp_path / "elsewhere"))) == before
    (tmp_path / "elsewhere/targets.csv").write_text("file,band_gap\n")
    assert address_of(read_content(tmp_path / "elsewhere")) != before


def test_links_are_content_and_circles_of_them_end(folder, tmp_path):
    (tmp_path / "outside.vasp").write_text("x")
    (folder / "link.vasp").symlink_to(tmp_path / "outside.vasp")
    (folder / "more/up").symlink_to(folder)
    assert [file.path for file in read_content(folder) if "link" in file.path] == ["link.vasp"]
    before = count_left_out(folder)
    (folder / "broken.vasp").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe.cif")
    assert count_left_out(folder) == before + 2
    assert len(read_content(folder)) == 8
    with pytest.raises(DataError, match="is no regular file"):
        read_content(folder / "pipe.cif")


def test_pushed_twice_it_is_stored_once(push, store, folder):
    done = push(store, folder)
    assert not done.already
    assert is_whole(store, done.address)
    before = [(info.key, info.modified) for info in store.list()]
    watched = WatchedStore(store, read_only=True)
    again = push(watched, folder)
    assert again.already
    assert again.address == done.address
    assert not watched.changes
    assert [(info.key, info.modified) for info in store.list()] == before


@pytest.mark.parametrize("damage", ["removed", "cut", "other content"])
@pytest.mark.parametrize("name", ["targets.csv", "species.npy"])
def test_what_is_damaged_in_the_store_is_stored_again(push, store, folder, name, damage):
    done = push(store, folder)
    (key,) = [info.key for info in store.list() if info.key.endswith(f"/{name}")]
    whole = store.head(key)
    if damage == "removed":
        store.delete(key)
    else:
        store.put(key, b"?" * (whole.size - (damage == "cut")))
    again = push(store, folder)
    assert (again.address, again.uploaded) == (done.address, 1)
    assert (store.head(key).size, store.head(key).sha256) == (whole.size, whole.sha256)
    assert push(store, folder).already


def test_other_settings_of_graphs_add_a_graph_store_to_the_same_data(push, store, lines):
    first = push(store, lines)
    second = push(store, lines, graph={"cutoff": 6.0})
    assert first.address == second.address
    assert 0 < second.uploaded < second.files
    assert len(list_data(store)) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_change_nothing_or_all_is_there_and_the_next_push_keeps_what_is(push, store, lines, after):
    address = LocalData.read(lines).address
    deaths, outcomes = 0, set()
    for k in range(1, 100):
        try:
            push(KillingStore(store, k, after=after), lines)
        except Killed:
            deaths += 1
        else:
            break
        outcomes.add(is_whole(store, address))
        if not outcomes & {True}:
            assert [one.manifest for one in list_data(store)] in ([], [None])
        there = len(list(store.list("data/")))
        watched = WatchedStore(store)
        push(watched, lines)
        assert is_whole(store, address)
        assert len(watched.changes) == len(list(store.list("data/"))) - there
        assert delete_data(store, address)
        assert not list(store.list())
    assert deaths > 15  # the file, those of the graphs, and two manifests
    assert outcomes == ({False, True} if after else {False})


def test_several_at_a_time_store_it_once_whole(push, store, folder):
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: push(store, folder), range(6)))
    assert len({one.address for one in done}) == 1
    assert is_whole(store, done[0].address)
    (found,) = list_data(store)
    assert found.manifest.crystals == 6


def test_a_file_of_other_content_is_replaced_and_one_that_changes_meanwhile_refused(push, store, folder):
    address = LocalData.read(folder).address
    store.put(source_prefix(address) + "targets.csv", b"forged")
    push(store, folder)
    assert is_whole(store, address)
    local = LocalData.read(folder)
    (folder / "more/KBr.vasp").write_text("changed")
    with pytest.raises(DataError, match="expected content"):
        Upload("data/other/", local_files(folder, local.files)).store(store, ByteCounter(1, None))


@pytest.mark.parametrize("name", ["a\\b.vasp", "POSCAR.part", "y" * 201 + ".cif"])
def test_names_that_no_store_takes_are_refused_before_anything_is_stored(folder, name):
    (folder / name).write_text("x")
    with pytest.raises(DataError, match="cannot be stored"):
        LocalData.read(folder)


def test_a_damaged_or_forged_manifest_is_refused(push, store, folder, cache):
    address = push(store, folder).address
    content = store.read(manifest_key(address))
    for forged in (b"{", content[:-20], content.replace(b"KBr", b"KCl"), content.replace(b'"more/', b'"../')):
        store.put(manifest_key(address), forged)
        with pytest.raises(DataError, match=r"damaged|not the manifest"):
            open_data_set(address, store=store)
    with pytest.raises(RequestError, match="no data set"):
        open_data_set(f"sha256:{'0' * 64}", store=store)
