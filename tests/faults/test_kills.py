"""A run that is killed anywhere, any number of times, ends equal bit for bit and is never partly published.

Three kinds of death: at a random time, at every disk operation, and at every request to a bucket. The run shares its id
with all its attempts, so the next attempt continues it without being told.
"""

import json
import random
import shutil

import pytest

from phase2.runs.catalog.index import list_runs
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.remote.checkpoints import RemoteCheckpoints
from phase2.testing.same_result import assert_same_result
from phase2.training.checkpoints.checkpoint import load_checkpoint

from .conftest import ROUNDS
from .processes import only_run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]
MOST_ATTEMPTS = 100
LONGER = 1.1
"""Growth of the longest wait for a kill from attempt to attempt: a machine that became slower still ends the run."""


def saved_steps(run: RunDirectory) -> int:
    """Return the saved steps of a folder: those of the epochs in its history, which is written after a checkpoint."""
    rows = json.loads(run.history.read_text()) if run.history.exists() else []
    return rows[-1]["step"] if rows else 0


def kept_steps(run: RunDirectory) -> int:
    return load_checkpoint(run.checkpoint).step if run.checkpoint.exists() else 0


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_times(train, whole, pace, tmp_path, seed, done):
    dice = random.Random(seed)
    wanted, deaths, run_number = int(60 * ROUNDS), 0, 0
    while deaths < wanted:
        run_number += 1
        output = tmp_path / str(run_number)
        last = 0
        for attempt in range(MOST_ATTEMPTS):
            kill_after = dice.uniform(0, pace * LONGER**attempt)
            ended = train(output, environment={"PHASE2_RUN_ID": "killed"}, kill_after=kill_after)
            if ended.code == 0:
                break
            assert ended.killed, ended.said
            deaths += 1
            if found := list(output.glob("multitask_*/run_*")):
                run = RunDirectory(found[0])
                assert kept_steps(run) >= max(last, saved_steps(run))
                last = kept_steps(run)
        assert ended.code == 0, ended.said
        assert_same_result(only_run(output), whole())
        assert not list(only_run(output).path.glob("*.tmp"))
        shutil.rmtree(output)
    done["kills at random times"] += deaths
    done["runs ended equal after random kills"] += run_number


def instants(total: int, share: int) -> list[int]:
    """Choose instants out of 1..total, evenly; all of them where there are enough rounds."""
    step = max(1, round(total / (share * ROUNDS)))
    return list(range(1, total + 1, step))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_disk_operation(train, whole, tmp_path, after, done):
    epochs = 4
    calm = train(tmp_path / "calm", epochs=epochs, environment={"PHASE2_RUN_ID": "killed"})
    assert calm.code == 0, calm.said
    for k in instants(calm.counts["disk"], 30):
        output = tmp_path / str(k)
        death = {"kind": "disk", "at": k, "after": after}
        ended = train(output, epochs=epochs, death=death, environment={"PHASE2_RUN_ID": "killed"})
        if not ended.killed:  # saves that overlap fewer steps make fewer operations
            assert ended.code == 0, ended.said
            continue
        done[f"kills {'after' if after else 'before'} a disk operation"] += 1
        ended = train(output, epochs=epochs, environment={"PHASE2_RUN_ID": "killed"})
        assert ended.code == 0, ended.said
        assert_same_result(only_run(output), whole(epochs))
        shutil.rmtree(output)


def assert_never_half(store) -> None:
    """Assert that every finished run of a store is complete."""
    for summary in list_runs(store):
        if summary.status == "finished":
            found = PublishedRun.open(store, summary.prefix).verify()
            assert (found.missing, found.damaged, found.extra) == ((), (), ())


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_request_and_resumed_on_an_empty_machine(
    train, whole, tmp_path, new_store, seaweedfs, after, done
):
    epochs = 4
    environment = seaweedfs.environment | {"PHASE2_RUN_ID": "killed"}
    calm = train(tmp_path / "calm", "--store", new_store(seaweedfs).url, epochs=epochs, environment=environment)
    assert calm.code == 0, calm.said
    for k in instants(calm.counts["request"], 20):
        store = new_store(seaweedfs)
        death = {"kind": "request", "at": k, "after": after}
        ended = train(tmp_path / "lost", "--store", store.url, epochs=epochs, death=death, environment=environment)
        shutil.rmtree(tmp_path / "lost", ignore_errors=True)
        assert_never_half(store)
        if not ended.killed:
            assert ended.code == 0, ended.said
            continue
        done[f"kills {'after' if after else 'before'} a request"] += 1
        ended = train(tmp_path / "new", "--store", store.url, epochs=epochs, environment=environment)
        assert ended.code == 0, ended.said
        assert_same_result(only_run(tmp_path / "new"), whole(epochs))
        assert_never_half(store)
        (summary,) = list_runs(store)
        assert summary.status == "finished"
        shutil.rmtree(tmp_path / "new")


@pytest.mark.parametrize("server", ["seaweedfs", "minio"])
def test_killed_at_random_times_and_moved_to_other_machines(
    train, whole, pace, tmp_path, new_store, server, request, done
):
    dice = random.Random(server)
    running = request.getfixturevalue(server)
    store = new_store(running)
    wanted, deaths, moves, run_number = int(40 * ROUNDS), 0, 0, 0
    while deaths < wanted:
        run_number += 1
        environment = running.environment | {"PHASE2_RUN_ID": f"killed-{run_number}"}
        pointed = 0
        output = tmp_path / f"{run_number}"
        for attempt in range(MOST_ATTEMPTS):
            kill_after = dice.uniform(0, 1.2 * pace * LONGER**attempt)
            ended = train(output, "--store", store.url, environment=environment, kill_after=kill_after)
            if ended.code == 0:
                break
            assert ended.killed, ended.said
            deaths += 1
            assert_never_half(store)
            for summary in list_runs(store):
                if summary.run_id == environment["PHASE2_RUN_ID"] and summary.status == "unfinished":
                    pointer = RemoteCheckpoints(store, summary.prefix).pointer()
                    step = pointer.newest.step if pointer else 0
                    assert step >= pointed
                    pointed = step
            if dice.random() < 0.4:
                shutil.rmtree(output, ignore_errors=True)
                moves += 1
        assert ended.code == 0, ended.said
        assert_same_result(only_run(output), whole())
        assert PublishedRun.open(store, f"multitask_cgcnn/{only_run(output).name}").verify().intact
        assert not list(store.list(f"multitask_cgcnn/{only_run(output).name}/.checkpoints/"))
        shutil.rmtree(output)
    assert len(list_runs(store)) == run_number
    done[f"kills at random times with {server}"] += deaths
    done[f"machines lost with {server}"] += moves
    done["runs ended equal after random kills"] += run_number
