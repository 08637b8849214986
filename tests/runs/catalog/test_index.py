"""The list of runs, and the index that is only a cache."""

import json
import os

import pytest

from phase2.runs.catalog import index
from phase2.runs.catalog.index import INDEX, list_runs
from phase2.runs.layout import RunDirectory
from phase2.runs.records.run_config import RecordedConfig
from phase2.storage.base import ObjectDamagedError
from phase2.storage.urls import open_store
from phase2.testing.stores.watched_store import WatchedStore

MANY = 10_000


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path))


@pytest.fixture
def always_indexed(monkeypatch):
    monkeypatch.setattr(index, "_MIN_CHANGES", 1)


def name_of(i):
    return f"run_20260101T{i // 3600:02d}{i // 60 % 60:02d}{i % 60:02d}Z_{i:05d}"


def ids(runs):
    return [run.run_id for run in runs]


def test_every_status_is_listed(make_run, resolved, tmp_path, store):
    make_run(tmp_path, name_of(1))
    make_run(tmp_path, name_of(2), status="failed")
    stopped, running = (RunDirectory.create(tmp_path, "multitask_cgcnn") for _ in range(2))
    for run in (stopped, running):
        RecordedConfig.record(run, resolved)
    with running.lock():
        found = {run.name: run for run in list_runs(store)}
    assert sorted(run.status for run in found.values()) == ["failed", "finished", "running", "unfinished"]
    assert found[running.name].status == "running"
    assert found[stopped.name].properties == resolved.config.properties
    assert found[stopped.name].algorithm == "cgcnn"


def test_runs_are_listed_newest_first(make_run, tmp_path, store):
    for i in (2, 3, 1):
        make_run(tmp_path, name_of(i), after=i)
    assert ids(list_runs(store)) == ["00003", "00002", "00001"]


def test_foreign_files_are_ignored(make_run, tmp_path, store):
    make_run(tmp_path, name_of(1))
    half = make_run(tmp_path, name_of(2))
    text = half.manifest.read_text()
    half.manifest.write_text(text[: len(text) // 2])
    half.run_config.write_bytes(b"\xff")
    (tmp_path / "notes.txt").write_text("")
    for name in ("empty", "lost+found", "multitask_cgcnn/run_back\\slash", ".hidden/run_20260103T000000Z_y"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "multitask_cgcnn" / "run_20260103T000000Z_x").write_bytes(b"\0")
    assert ids(list_runs(store)) == ["00001"]


def test_a_damaged_manifest_makes_a_run_unfinished(make_run, tmp_path, store):
    make_run(tmp_path, name_of(1)).manifest.write_text("{}")
    assert [run.status for run in list_runs(store)] == ["unfinished"]


def test_with_a_fresh_index_no_record_is_read(make_run, tmp_path, store, always_indexed):
    for i in range(3):
        make_run(tmp_path, name_of(i), after=i)
    cold, warm = WatchedStore(store), WatchedStore(store)
    first = list_runs(cold)
    assert len(cold.reads) == 1 + 3
    assert list_runs(warm) == first
    assert warm.reads == [INDEX]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content.replace(b'"score":0.6625', b'"score":0.0001'),
        lambda content: b"\x00" * len(content),
        lambda content: json.dumps({"schema_version": 99}).encode(),
    ],
    ids=["empty", "half", "changed", "zeros", "foreign"],
)
def test_a_damaged_index_is_rebuilt(make_run, tmp_path, store, damage, always_indexed):
    for i in range(3):
        make_run(tmp_path, name_of(i), after=i)
    truth = list_runs(store)
    good = store.read(INDEX)
    store.put(INDEX, damage(good))
    assert store.read(INDEX) != good
    assert list_runs(store) == truth
    healed = WatchedStore(store)
    assert list_runs(healed) == truth
    assert healed.reads == [INDEX]


def test_an_index_that_the_store_reports_damaged_is_ignored(make_run, tmp_path, store):
    class Damaged(WatchedStore):
        def read(self, key):
            if key == INDEX:
                raise ObjectDamagedError("The bytes are not what was stored.")
            return super().read(key)

    make_run(tmp_path, name_of(1))
    assert ids(list_runs(Damaged(store))) == ["00001"]


def test_the_index_never_hides_or_adds_a_run(make_run, tmp_path, store, always_indexed):
    gone = make_run(tmp_path, name_of(1), after=1)
    changed = make_run(tmp_path, name_of(2), after=2, score=0.5)
    assert ids(list_runs(store)) == ["00002", "00001"]
    gone.manifest.unlink()
    gone.run_config.unlink()
    text = changed.manifest.read_text()
    changed.manifest.write_text(text.replace('"score": 0.5', '"score": 0.4'))
    later = changed.manifest.stat().st_mtime + 1  # the clock of a file system may be coarser than two writes are apart
    os.utime(changed.manifest, (later, later))
    make_run(tmp_path, name_of(3), after=3)
    found = list_runs(store)
    assert ids(found) == ["00003", "00002"]
    assert found[1].score == 0.4


def test_a_run_that_finishes_is_listed_as_finished(resolved, make_run, tmp_path, store, always_indexed):
    run = RunDirectory.create(tmp_path, "multitask_cgcnn", run_id="x")
    RecordedConfig.record(run, resolved)
    assert [found.status for found in list_runs(store)] == ["unfinished"]
    make_run(tmp_path / "other", run.name).manifest.rename(run.manifest)
    assert [found.status for found in list_runs(store)] == ["finished"]


def test_listing_works_with_read_permission_alone(make_run, tmp_path, store, always_indexed):
    make_run(tmp_path, name_of(1))
    assert ids(list_runs(WatchedStore(store, read_only=True))) == ["00001"]


def test_an_empty_store_has_no_runs(store):
    assert list_runs(store) == []


@pytest.mark.slow
def test_of_ten_thousand_runs_a_second_listing_reads_the_index_alone(make_run, tmp_path, store):
    text = make_run(tmp_path, name_of(0)).manifest.read_text()
    for i in range(1, MANY):
        folder = tmp_path / "multitask_cgcnn" / name_of(i)
        folder.mkdir()
        (folder / "run_manifest.json").write_text(text.replace('"00000"', f'"{i:05d}"'))
    assert len(list_runs(store)) == MANY
    watched = WatchedStore(store)
    assert len(set(ids(list_runs(watched)))) == MANY
    assert watched.reads == [INDEX]
