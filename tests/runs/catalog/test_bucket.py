"""Runs in a bucket: the list is correct whatever process is killed at whatever instant."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from phase2.errors import RequestError
from phase2.runs.catalog import index
from phase2.runs.catalog.index import INDEX, list_runs
from phase2.runs.publish.deletion import delete_run
from phase2.runs.publish.markers import MARKERS, marker_key, read_markers
from phase2.runs.publish.publish import publish_run
from phase2.runs.publish.reader import PublishedRun
from phase2.testing.stores.watched_store import Killed, KillingStore, WatchedStore

FILES = {"best.pt": b"w" * 5000, "pictures/parity.png": b"png", "empty.csv": b""}
NAMES = tuple(f"run_20260101T00000{i}Z_{i}" for i in range(3))


@pytest.fixture
def store(server, new_store):
    return new_store(server)


@pytest.fixture
def runs(make_run, tmp_path):
    return [make_run(tmp_path / "models", name, files=FILES, after=i) for i, name in enumerate(NAMES)]


@pytest.fixture
def always_indexed(monkeypatch):
    monkeypatch.setattr(index, "_MIN_CHANGES", 1)


def prefix_of(run):
    return f"{run.family}/{run.name}"


def truth(store, runs):
    """List the runs by reading every one."""
    found = {}
    for prefix in map(prefix_of, runs):
        if store.head(f"{prefix}/run_manifest.json"):
            found[prefix] = "finished"
            assert PublishedRun.open(store, prefix).verify().intact
        elif store.head(f"{prefix}/run_config.json"):
            found[prefix] = "unfinished"
    return found


def told(store, **how):
    return {run.prefix: run.status for run in list_runs(store, **how)}


def deaths(store, act: Callable[[KillingStore], object], *, after):
    """Kill ``act`` at its first, second, ... change until it completes."""
    for k in range(1, 100):
        try:
            act(KillingStore(store, k, after=after))
        except Killed:
            yield k
        else:
            return


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_publisher_killed_at_any_change_leaves_a_correct_list(store, runs, after, always_indexed):
    other, run, _ = runs
    publish_run(store, other)
    seen = set()
    for _ in deaths(store, lambda killing: publish_run(killing, run), after=after):
        assert told(store) == truth(store, runs)
        assert told(store) == truth(store, runs)  # by the index that the first one wrote
        seen.add(told(store).get(prefix_of(run)))
        publish_run(store, run)
        assert told(store) == truth(store, runs) == dict.fromkeys(map(prefix_of, (other, run)), "finished")
        delete_run(store, prefix_of(run))
        assert not any(run.name in info.key for info in store.list())
    assert seen == {None, "unfinished", "finished"}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_deletion_killed_at_any_change_leaves_a_correct_list(store, runs, after, always_indexed):
    def delete_two(killing):
        for run in runs[:2]:
            delete_run(killing, prefix_of(run))

    for run in runs:
        publish_run(store, run)
    list_runs(store)
    for _ in deaths(store, delete_two, after=after):
        assert told(store) == truth(store, runs)
        assert told(store) == truth(store, runs)
        for run in runs[:2]:
            delete_run(store, prefix_of(run))
        assert told(store) == {prefix_of(runs[2]): "finished"}
        for run in runs[:2]:
            publish_run(store, run)
        list_runs(store)  # so that the index knows what is removed next
    assert told(store) == {prefix_of(runs[2]): "finished"}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_leftover_marker_does_not_complete_a_partly_published_run(store, runs, after, always_indexed):
    run = runs[0]
    publish_run(store, run)
    list_runs(store)
    stale, ((prefix, (digest,)),) = store.read(INDEX), read_markers(store).items()
    for _ in deaths(store, lambda killing: publish_run(killing, run), after=after):
        store.put(INDEX, stale)
        assert told(store) == truth(store, runs)
        delete_run(store, prefix)
        store.put(marker_key(prefix, digest), b"")
    assert told(store) == {prefix: "finished"}


def test_with_a_fresh_index_no_manifest_is_read(store, runs, always_indexed):
    for run in runs:
        publish_run(store, run)
    cold, warm = WatchedStore(store), WatchedStore(store)
    first = list_runs(cold)
    assert len(cold.reads) == 1 + len(runs)
    assert list_runs(warm) == first
    assert (warm.reads, warm.changes) == ([INDEX], [])


@pytest.mark.parametrize("content", [None, b"", b"rubbish", b'{"schema_version": 1, "entries": []}'])
def test_a_missing_damaged_or_foreign_index_costs_only_time(store, runs, content, always_indexed):
    for run in runs:
        publish_run(store, run)
    first = list_runs(store)
    store.delete(INDEX)
    if content is not None:
        store.put(INDEX, content)
    assert list_runs(store) == first
    again = WatchedStore(store)
    assert list_runs(again) == first
    assert again.reads == [INDEX]


def test_a_stale_index_is_not_used(store, runs, make_run, tmp_path, always_indexed):
    changed, gone, _ = runs
    for run in runs:
        publish_run(store, run)
    list_runs(store)
    stale = store.read(INDEX)
    for run in (changed, gone):
        delete_run(store, prefix_of(run))
    better = make_run(tmp_path / "again", changed.name, files=FILES, score=0.001)
    publish_run(store, better)
    store.put(INDEX, stale)
    assert prefix_of(gone) not in told(store)
    assert {run.prefix: run.score for run in list_runs(store)}[prefix_of(changed)] == 0.001


def test_a_run_without_a_marker_is_listed_and_marked(store, runs):
    for run in runs:
        publish_run(store, run)
    markers = read_markers(store)
    assert markers == {prefix_of(run): (hashlib.sha256(run.manifest.read_bytes()).hexdigest(),) for run in runs}
    for info in list(store.list(f"{MARKERS}/")):
        store.delete(info.key)
    assert told(WatchedStore(store, read_only=True)) == truth(store, runs)
    assert read_markers(store) == {}
    assert told(store) == truth(store, runs)
    assert read_markers(store) == markers


def test_wrong_and_orphaned_markers_make_no_run(store, runs, always_indexed):
    run, other, _ = runs
    publish_run(store, run)
    list_runs(store)
    store.put(marker_key(prefix_of(other), "0" * 64), b"")
    store.put(marker_key(prefix_of(run), "0" * 64), b"")
    store.put(f"{MARKERS}/rubbish", b"")
    assert told(store) == {prefix_of(run): "finished"}
    assert len(read_markers(store)[prefix_of(run)]) == 1
    publish_run(store, other)
    assert told(store) == truth(store, runs)
    assert len(read_markers(store)[prefix_of(other)]) == 1


def test_a_manifest_deleted_by_others_is_noticed_when_opened_and_by_a_rebuild(store, runs, always_indexed):
    run, other, _ = runs
    publish_run(store, run)
    publish_run(store, other)
    list_runs(store)
    store.delete(f"{prefix_of(run)}/run_manifest.json")
    with pytest.raises(RequestError, match="no manifest"):
        PublishedRun.open(store, prefix_of(run))
    assert told(store, rebuild=True) == truth(store, runs)
    assert told(store) == truth(store, runs)
    assert set(read_markers(store)) == {prefix_of(other)}


def test_checkpoints_in_the_store_are_deleted_with_their_run(store, runs, recorded):
    run, other, _ = runs
    prefix = prefix_of(run)
    store.put(f"{prefix}/run_config.json", run.run_config)
    store.put(f"{prefix}/.checkpoints/epoch_0001.pt", b"c")
    store.put(".ids/0", prefix.encode())
    store.put(".ids/7", prefix.encode())
    assert told(store) == {prefix: "unfinished"}
    publish_run(store, run)
    assert told(store) == {prefix: "finished"}
    assert PublishedRun.open(store, prefix).verify().extra == ()
    publish_run(store, other)
    delete_run(store, prefix)
    delete_run(store, prefix_of(other))
    assert [info.key for info in store.list() if info.key != INDEX] == [".ids/7"]  # which stands for another run


def test_foreign_objects_in_the_bucket_are_ignored(store, server, runs):
    bucket, _, base = store.url.removeprefix("s3://").partition("/")
    client = boto3.client("s3", endpoint_url=server.endpoint)
    family = runs[0].family
    for key in ("back\\slash/run_1/x", f"{family}/run_back\\slash/x", f"{family}/run_no_record/x", f"{family}/x", "x"):
        client.put_object(Bucket=bucket, Key=f"{base}/{key}", Body=b"")
    publish_run(store, runs[0])
    assert told(store) == truth(store, runs)


def test_lists_are_correct_during_concurrent_publishing_and_deletion(store, runs, always_indexed):
    def come_and_go(run):
        for _ in range(3):
            publish_run(store, run)
            delete_run(store, prefix_of(run))
        publish_run(store, run)

    with ThreadPoolExecutor(len(runs)) as pool:
        busy = [pool.submit(come_and_go, run) for run in runs]
        while not all(future.done() for future in busy):
            for listed in list_runs(store):
                assert listed.prefix in map(prefix_of, runs)
                assert listed.status in {"finished", "unfinished"}
        for future in busy:
            future.result()
    assert told(store) == truth(store, runs) == dict.fromkeys(map(prefix_of, runs), "finished")
