"""What a store says of a run to those who watch it: while it trains, after it was lost, and when it is finished."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pytest

from phase2.cli.watch.sources import StoredRuns
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.runs.catalog.index import list_runs
from phase2.runs.layout import RunDirectory
from phase2.runs.live.record import LiveRecord
from phase2.runs.live.stored import view_stored
from phase2.runs.records.attempts import begin_attempt, end_attempt
from phase2.runs.records.history import EpochRow
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.remote.state import RemoteRun
from phase2.storage.folder import LocalStore
from phase2.testing.finished_run import finished_run
from phase2.testing.stores.watched_store import WatchedStore


def row(epoch):
    return EpochRow(epoch, 4 * epoch, 1e-3, 1 / epoch, 1.1 / epoch, 0.9 / epoch, {"band_gap": 0.5}, 2.0, 900.0, 0.1)


def record(run, **changes):
    now = datetime.now(UTC)
    values = {
        "run_id": run.run_id,
        "algorithm": "cgcnn",
        "mode": "smoke",
        "attempt": 1,
        "host": "here",
        "device": "cpu",
        "phase": "training",
        "started": now - timedelta(minutes=5),
        "updated": now,
        "last_step": now,
        "step": 9,
        "steps": 20,
        "epochs": 5,
        "rate": 900.0,
        "eta_seconds": 60.0,
        "rows": (row(1), row(2)),
    }
    return LiveRecord(**(values | changes))


@pytest.fixture
def run(tmp_path):
    """A run that has begun, in a models folder."""
    made = RunDirectory.create(tmp_path / "models", "multitask_cgcnn", run_id="r1")
    RecordedConfig.record(made, resolve(RunRequest(algorithm="cgcnn", level="smoke")))
    begin_attempt(made, host="here")
    return made


def seen(store):
    (summary,) = list_runs(store)
    return view_stored(store, summary)


def look(run, **changes):
    run.progress.write_text(record(run, **changes).model_dump_json())
    return seen(LocalStore(run.path.parents[1]))


def test_a_run_that_trains_is_seen_in_full(run):
    with run.lock():
        view = look(run)
    assert (view.state, view.has_ended, view.epoch, view.epochs, view.step, view.steps) == (
        "running",
        False,
        2,
        5,
        9,
        20,
    )
    assert view.left() == pytest.approx(60, abs=5)
    assert view.best.epoch == 2
    assert view.done == 9 / 20


@pytest.mark.parametrize(
    ("age", "phase", "outcome", "state", "has_ended"),
    [
        (20, "training", None, "killed", True),
        (0, "finishing", None, "finishing", False),
        (20, "ended", "interrupted", "interrupted", True),
        (20, "ended", "failed", "failed", True),
    ],
)
def test_a_run_that_trains_no_more_says_why(run, age, phase, outcome, state, has_ended):
    if outcome is not None:
        end_attempt(run, outcome, reason="because")
    view = look(run, phase=phase, updated=datetime.now(UTC) - timedelta(seconds=age))
    assert (view.state, view.has_ended) == (state, has_ended)
    assert view.points, "what it had reached is still there"
    if outcome is not None:
        assert view.message == "because"


def test_a_run_that_takes_no_steps_says_so(run):
    with run.lock():
        assert "no step for 10m" in look(run, last_step=datetime.now(UTC) - timedelta(minutes=10)).message


def test_a_finished_run_is_seen_by_its_manifest(tmp_path):
    rows = [asdict(row(epoch)) for epoch in range(1, 6)]
    finished_run(tmp_path, {"history.json": json.dumps(rows).encode()}, run_id="done")
    view = seen(LocalStore(tmp_path))
    assert (view.state, view.has_ended, view.epoch, view.done) == ("finished", True, 5, 1.0)
    assert view.left() is None


def test_a_run_of_an_older_version_is_seen_by_its_configuration(run):
    view = seen(LocalStore(run.path.parents[1]))
    assert (view.run_id, view.algorithm, view.mode, view.has_ended) == ("r1", "cgcnn", "smoke", True)


@pytest.fixture
def bucket(new_store, minio, run):
    """A bucket that has the run, in progress on another machine."""
    store = new_store(minio)
    remote = RemoteRun.claim(store, run)
    remote.announce(run)
    remote.put_attempts(run)
    remote.put_progress(record(run).model_dump_json().encode())
    return store


@pytest.mark.parametrize("content", ["", "{", "null", '{"run_id": "\\u001b[2J"}'])
def test_a_run_whose_record_is_damaged_is_seen_by_the_rest(run, content):
    run.progress.write_text(content)
    store = LocalStore(run.path.parents[1])
    (view,) = StoredRuns(store, ["r1"]).look()
    assert (view.run_id, view.state) == ("r1", "unfinished")
    with run.lock():
        (view,) = StoredRuns(store, ["r1"]).look()
    assert view.state == "running"


def test_a_bucket_has_the_same_and_is_asked_for_little(bucket, run):
    watched = WatchedStore(bucket)
    runs = StoredRuns(watched, ["r1"])
    watched.reads.clear()
    for _ in range(3):
        (view,) = runs.look()
        assert (view.state, view.epoch, view.where) == ("running", 2, "here")
    prefix = f"{run.family}/{run.name}/.checkpoints"
    assert watched.reads == [f"{prefix}/progress.json", f"{prefix}/attempts.json"] * 3
    assert runs.interval >= 15
    assert watched.changes == []


def test_a_run_elsewhere_that_fell_silent_may_be_lost(bucket, run):
    old = datetime.now(UTC) - timedelta(minutes=7)
    RemoteRun.claim(bucket, run).put_progress(record(run, updated=old).model_dump_json().encode())
    view = seen(bucket)
    assert (view.state, view.has_ended) == ("silent", False)
    assert "no news for 7m" in view.message


def test_the_end_of_a_run_removes_its_progress(bucket, run):
    RemoteRun.claim(bucket, run).finish()
    assert not [info.key for info in bucket.list() if "progress" in info.key]
