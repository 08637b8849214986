"""The same on real S3 servers, and data that lie in a bucket as plain objects."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from phase2.config.schema import DataConfig
from phase2.data.dataset import open_graph_store
from phase2.data.stored.catalog import delete_data, list_data
from phase2.data.stored.manifest import DataMissingError, read_data_manifest
from phase2.data.stored.names import NameTakenError, name_data
from phase2.data.stored.opening import content_address, local_path, open_data_set
from phase2.data.stored.push import LocalData
from phase2.errors import DataError, RequestError
from phase2.testing.stores.watched_store import Killed, KillingStore, WatchedStore


@pytest.fixture
def bucket(server, new_store):
    return new_store(server)


def test_pushed_once_and_fetched_with_an_empty_cache(push, bucket, folder, lines, cache):
    done = push(bucket, folder)
    watched = WatchedStore(bucket, read_only=True)
    assert push(watched, folder).already
    assert name_data(bucket, "salts", done.address)
    with pytest.raises(NameTakenError):
        name_data(bucket, "salts", push(bucket, lines).address)
    shutil.rmtree(cache)
    found = open_graph_store(DataConfig(source="salts"), stored_in=bucket)
    assert len(found.graphs) == 6
    assert content_address(str(local_path("salts", store=bucket))) == done.address
    assert len(list_data(bucket)) == 2


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_between_two_writes_nothing_is_half(push, bucket, lines, after):
    address = LocalData.read(lines).address
    push(counted := WatchedStore(bucket), lines)
    assert delete_data(bucket, address)
    for k in (1, 2, len(counted.changes) // 2, len(counted.changes) - 1, len(counted.changes)):
        with pytest.raises(Killed):
            push(KillingStore(bucket, k, after=after), lines)
        if not (after and k == len(counted.changes)):
            with pytest.raises(DataMissingError):
                read_data_manifest(bucket, address)
        there = len(list(bucket.list("data/")))
        push(watched := WatchedStore(bucket), lines)
        assert len(watched.changes) == len(counted.changes) - there
        assert read_data_manifest(bucket, address).crystals == 6
        assert delete_data(bucket, address)
        assert not list(bucket.list())


def test_plain_objects_are_a_data_set_and_read_again_when_they_change(bucket, folder, lines, cache):
    for path in folder.rglob("*"):
        if path.is_file():
            bucket.put(f"my/salts/{path.relative_to(folder)}", path)
    bucket.put("my/salts.jsonl", lines)
    here = local_path(f"{bucket.url}/my/salts")
    assert content_address(f"{bucket.url}/my/salts") == content_address(str(folder))
    assert not (here / "WAVECAR").exists()
    assert open_data_set(f"{bucket.url}/my/salts/").fingerprint == open_data_set(str(folder)).fingerprint
    assert len(open_graph_store(DataConfig(source=f"{bucket.url}/my/salts.jsonl")).graphs) == 6
    assert local_path(f"{bucket.url}/my/salts") == here
    bucket.put("my/salts/targets.csv", b"file,band_gap\nNaCl.vasp,5.0,\n")
    changed = local_path(f"{bucket.url}/my/salts")
    assert changed != here
    assert (changed / "targets.csv").read_bytes() == b"file,band_gap\nNaCl.vasp,5.0,\n"
    with pytest.raises(RequestError, match="s3://bucket/x"):
        open_data_set("s3:/bucket/x")
    with pytest.raises(DataError, match="There is nothing at"):
        open_data_set(f"{bucket.url}/my/salt")


READ = """
import sys
from pathlib import Path
from phase2.data.stored.opening import local_path
print(local_path(sys.argv[1]), flush=True)
sys.stdin.read()
"""


def test_a_copy_of_objects_that_changed_is_removed_once_no_process_reads_it(bucket, folder, cache):
    for path in folder.rglob("*"):
        if path.is_file():
            bucket.put(f"my/salts/{path.relative_to(folder)}", path)
    words = [sys.executable, "-c", READ, f"{bucket.url}/my/salts"]

    def change(gap):
        bucket.put("my/salts/targets.csv", f"file,band_gap\nNaCl.vasp,{gap}\n".encode())

    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        first = Path(reader.stdout.readline().strip())
        assert first.is_dir()
        change(5.0)
        second = Path(subprocess.run(words, input="", capture_output=True, text=True, check=True).stdout.strip())
        assert first.is_dir(), "a process reads it"
        change(6.0)
        third = Path(subprocess.run(words, input="", capture_output=True, text=True, check=True).stdout.strip())
        assert [one.is_dir() for one in (first, second, third)] == [True, False, True]
        assert (first / "targets.csv").read_bytes() == (folder / "targets.csv").read_bytes()
        reader.communicate("")
    change(7.0)
    last = local_path(f"{bucket.url}/my/salts")
    assert [path for path in (cache / "data").iterdir() if path.is_dir()] == [last]
