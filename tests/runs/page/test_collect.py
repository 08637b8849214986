"""Collecting the runs of a page: what is shown of each, and that only new and changed ones are read."""

import hashlib

import pytest
from tests.runs.page.conftest import HANDED_ON, history_of, name_of

from phase2.runs.page.collect import collect_runs, shown_runs
from phase2.runs.publish.deletion import delete_run
from phase2.runs.publish.publish import publish_run
from phase2.runs.records.attempts import begin_attempt, end_attempt
from phase2.runs.records.baselines import PropertyBaseline
from phase2.runs.records.history import write_history
from phase2.runs.remote.state import RemoteRun
from phase2.testing.stores.watched_store import WatchedStore


def collected(store, known=None, present=()):
    watched = WatchedStore(store)
    found = collect_runs(watched, known or {}, present=present)
    return found, watched.reads


def again(store, *builds):
    """Collect once more, after builds of which each left its files."""
    return collected(store, builds[-1].entries, {name for each in builds for name in each.scripts})


def prefix_of(run):
    return f"{run.family}/{run.name}"


def test_a_finished_run_shows_its_errors_beside_its_baselines(finish, store):
    boosting = PropertyBaseline(
        key="band_gap", unit="eV", train_labels=640, median_val_mae=0.7, median_test_mae=0.7, boosting_val_mae=0.4,
        boosting_test_mae=0.5,
    )  # fmt: skip
    run = finish(1, baselines=(boosting,))
    found, _ = collected(store)
    shown = found.entries[prefix_of(run)].run
    errors = shown.errors["band_gap"]
    assert (errors.unit, errors.val, errors.test, errors.median, errors.boosting) == ("eV", 0.9, 0.9, 0.75, 0.4)
    assert (shown.handoff, shown.missing, shown.seed, shown.planned) == ("ready", (), 42, 3)
    assert (shown.source, shown.split, shown.crystals) == ("sample", "random, seed 42", 640)
    assert (shown.attempts, shown.resumed, shown.seconds, shown.host) == (1, 0, 600, "machine")
    assert shown.settings["training.lr"] == 1e-3
    assert shown.command.startswith("phase2 train --algorithm cgcnn")
    assert not shown.has_report


def test_curves_are_those_of_the_history(finish, store):
    run = finish(1, epochs=3)
    found, _ = collected(store)
    (content,) = found.scripts.values()
    assert f'"{prefix_of(run)}"'.encode() in content
    assert b'"score":[0.9,0.45,0.3]' in content
    assert b'"band_gap":[0.12346,0.061728,0.041152]' in content  # five digits
    assert b'"formation_energy":[null,null,null]' in content


@pytest.mark.parametrize(
    ("fields", "handoff", "missing"),
    [
        ({"files": HANDED_ON}, "ready", ()),
        ({"files": {"best.pt": b"w"}}, "incomplete", ("HANDOFF.md", "MODEL_CARD.md")),
        ({"status": "failed"}, "none", ()),
        ({"status": "interrupted"}, "resumable", ()),
    ],
)
def test_the_state_of_the_hand_off(finish, store, fields, handoff, missing):
    run = finish(1, **fields)
    found, _ = collected(store)
    shown = found.entries[prefix_of(run)].run
    assert (shown.handoff, shown.missing) == (handoff, missing)


def test_an_unfinished_run_shows_how_far_it_is(begin, store):
    run = begin(epochs=2)
    begin_attempt(run, host="first")
    end_attempt(run, "interrupted", reason="Preempted")
    begin_attempt(run, host="second", resumed_from="epoch 1, step 10")
    found, _ = collected(store)
    shown = found.entries[prefix_of(run)].run
    assert (shown.summary.status, shown.summary.epochs, shown.handoff) == ("unfinished", 2, "resumable")
    assert (shown.attempts, shown.resumed, shown.host) == (2, 1, "second")
    assert found.entries[prefix_of(run)].curves in found.scripts
    with run.lock():
        assert [one.summary.status for one, _ in shown_runs(store, found.entries)] == ["running"]
    assert [one.summary.status for one, _ in shown_runs(store, found.entries)] == ["unfinished"]


@pytest.mark.parametrize(("outcome", "handoff"), [("failed", "none"), ("interrupted", "resumable")])
def test_a_run_that_ended_without_a_manifest_says_how(begin, store, outcome, handoff):
    run = begin(epochs=1)
    begin_attempt(run, host="machine")
    end_attempt(run, outcome, reason="Training diverged")
    found, _ = collected(store)
    shown = found.entries[prefix_of(run)].run
    assert (shown.summary.status, shown.handoff, shown.reason) == (outcome, handoff, "Training diverged")


def test_a_run_that_a_study_gave_up_is_pruned(begin, store):
    run = begin(epochs=2)
    begin_attempt(run, host="worker")
    end_attempt(run, "interrupted", reason="Hopeless", pruned_at=2)
    found, _ = collected(store)
    shown = found.entries[prefix_of(run)].run
    assert (shown.summary.status, shown.summary.epochs, shown.reason) == ("pruned", 2, "Hopeless")


def test_only_new_and_changed_runs_are_read(finish, begin, store, models):
    for i in (1, 2, 3):
        finish(i)
    training = begin(epochs=1)
    first, reads = collected(store)
    assert len(first.read) == 4
    assert len(reads) == 2 * 3 + 5  # manifest and history; of the unfinished one also its attempts and its checkpoint

    second, reads = again(store, first)
    assert (second.read, reads, second.entries) == ((), [], first.entries)

    write_history(training.history, history_of(2))
    third, reads = again(store, first, second)
    assert third.read == (prefix_of(training),)
    assert all(key.startswith(prefix_of(training)) for key in reads)

    newest = finish(4)
    fourth, reads = again(store, first, second, third)
    assert fourth.read == (prefix_of(newest),)


def test_a_run_whose_curves_are_lost_is_read_again(finish, store):
    run = finish(1)
    first, _ = collected(store)
    assert collected(store, first.entries, present=())[0].read == (prefix_of(run),)


def test_deleted_runs_vanish(finish, store):
    gone, kept = finish(1), finish(2)
    first, _ = collected(store)
    delete_run(store, prefix_of(gone))
    second, reads = again(store, first)
    assert list(second.entries) == [prefix_of(kept)]
    assert reads == []


def test_a_damaged_run_is_named_and_leaves_the_others(finish, store):
    bad, good = finish(1), finish(2)
    bad.manifest.write_bytes(b"{")
    bad.run_config.write_bytes(b"[]")
    moved = finish(3)
    moved.path.rename(moved.path.with_name(name_of(9)))
    found, _ = collected(store)
    shown = {prefix: entry.run is not None for prefix, entry in found.entries.items()}
    assert shown == {prefix_of(bad): False, prefix_of(good): True, f"multitask_cgcnn/{name_of(9)}": False}


def test_a_damaged_history_costs_its_curves_alone(finish, store):
    run = finish(1, files=HANDED_ON | {"history.json": b'[{"epoch": 1}]'})
    found, _ = collected(store)
    entry = found.entries[prefix_of(run)]
    assert entry.curves is None
    assert entry.run.summary.score == 0.6625


def test_fields_of_a_newer_phase2_are_ignored(finish, store):
    run = finish(1)
    text = run.manifest.read_text().replace('"run_id"', '"schema_of_tomorrow": {"a": 1}, "run_id"', 1)
    run.manifest.write_text(text)
    found, _ = collected(store)
    assert found.entries[prefix_of(run)].run is not None


class TestInABucket:
    """The same by markers, and by listings of what has none."""

    @pytest.fixture
    def bucket(self, server, new_store):
        return new_store(server)

    def test_only_new_and_changed_runs_are_read(self, finish, begin, bucket):
        for i in (1, 2):
            publish_run(bucket, finish(i))
        training = begin(epochs=1)
        remote = RemoteRun.claim(bucket, training)
        remote.announce(training)
        _checkpoint(remote, 1)
        first, _ = collected(bucket)
        assert len(first.read) == 3
        unfinished = first.entries[prefix_of(training)].run
        assert (unfinished.summary.status, unfinished.summary.epochs) == ("unfinished", 1)

        second, reads = again(bucket, first)
        assert (second.read, reads) == ((), [])

        _checkpoint(remote, 2)
        newest = finish(3)
        publish_run(bucket, newest)
        third, reads = again(bucket, first, second)
        assert set(third.read) == {prefix_of(training), prefix_of(newest)}
        assert third.entries[prefix_of(training)].run.summary.epochs == 2

    def test_deleted_runs_vanish(self, finish, bucket):
        gone, kept = finish(1), finish(2)
        for run in (gone, kept):
            publish_run(bucket, run)
        first, _ = collected(bucket)
        delete_run(bucket, prefix_of(gone))
        second, reads = again(bucket, first)
        assert (list(second.entries), reads) == ([prefix_of(kept)], [])


def _checkpoint(remote, step):
    content = b"state %d" % step
    digest = hashlib.sha256(content).hexdigest()
    remote.checkpoints.add(content, sha256=digest, step=step, epoch=step, host="pod")
