"""Claims on trials: one live worker each, and the next when that one ends, dies or is silent."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from phase2.machine.place import POD_VARIABLE
from phase2.testing.stores.s3_fixtures import NewStore
from phase2.testing.stores.s3_servers import S3Server
from phase2.tuning import workers
from phase2.tuning.claims import Claim, Claims
from phase2.tuning.result import with_interrupted
from phase2.tuning.workers import SILENCE, Worker

WORK = """
import sys, time
from phase2.storage.folder import LocalStore
from phase2.tuning.claims import Claims
from phase2.tuning.workers import Worker

store = LocalStore(__import__("pathlib").Path(sys.argv[1]))
worker = Worker(store, "size")
with worker.registered():
    print(Claims(store, "size", worker).take(0), flush=True)
    time.sleep(600)
"""


def claims_of(store, worker):
    return Claims(store, "size", worker)


@pytest.fixture
def make_worker(tmp_path):
    return lambda store: Worker(store, "size", locks=tmp_path / "locks")


def test_a_trial_is_claimed_once(store, make_worker):
    one, other = make_worker(store), make_worker(store)
    with one.registered(), other.registered():
        assert claims_of(store, one).take(0) == Claim(0, 1)
        assert claims_of(store, other).take(0) is None
        assert claims_of(store, other).is_held(0)
        assert claims_of(store, other).take(1) == Claim(1, 1)
        assert not claims_of(store, one).is_lost(Claim(0, 1))


def test_a_worker_that_ended_holds_nothing(store, make_worker):
    one, other = make_worker(store), make_worker(store)
    with one.registered():
        claims_of(store, one).take(0)
    assert list(store.list(".studies/size/workers/")) == []
    with other.registered():
        assert not claims_of(store, other).is_held(0)
        assert claims_of(store, other).take(0) == Claim(0, 2)
        assert claims_of(store, one).is_lost(Claim(0, 1))


def test_a_worker_killed_here_holds_nothing_at_once(store, make_worker):
    process = subprocess.Popen([sys.executable, "-c", WORK, str(store.root)], stdout=subprocess.PIPE, text=True)
    assert "Claim" in process.stdout.readline()
    worker = make_worker(store)
    with worker.registered():
        assert claims_of(store, worker).take(0) is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert claims_of(store, worker).take(0) == Claim(0, 2)
    process.stdout.close()


def test_a_worker_elsewhere_counts_as_dead_when_it_was_silent(store, make_worker, monkeypatch):
    elsewhere, here = make_worker(store), make_worker(store)
    monkeypatch.setenv(POD_VARIABLE, "elsewhere")
    with elsewhere.registered():
        claims_of(store, elsewhere).take(0)
        monkeypatch.setenv(POD_VARIABLE, "here")
        with here.registered():
            assert claims_of(store, here).take(0) is None
            with time_machine.travel(datetime.now(UTC) + SILENCE - timedelta(seconds=5)):
                assert claims_of(store, here).take(0) is None
            with time_machine.travel(datetime.now(UTC) + SILENCE + timedelta(seconds=5)):
                assert claims_of(store, here).take(0) == Claim(0, 2)


def test_a_wrong_clock_here_takes_nothing_from_the_living(store, make_worker, monkeypatch):
    elsewhere, here = make_worker(store), make_worker(store)
    monkeypatch.setenv(POD_VARIABLE, "elsewhere")
    with elsewhere.registered():
        claims_of(store, elsewhere).take(0)
        monkeypatch.setenv(POD_VARIABLE, "here")
        with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)), here.registered():
            assert claims_of(store, here).take(0) is None


def test_a_worker_is_heard_while_it_works(store, make_worker, monkeypatch):
    monkeypatch.setattr(workers, "BEAT_SECONDS", 0.01)
    worker, beats = make_worker(store), []
    with worker.registered(lambda: beats.append(os.getpid())):
        first = store.head(f".studies/size/workers/{worker.worker_id}.json").modified
        while store.head(f".studies/size/workers/{worker.worker_id}.json").modified == first or not beats:
            pass


def test_of_many_that_claim_at_once_one_succeeds(seaweedfs: S3Server, new_store: NewStore, make_worker):
    store = new_store(seaweedfs)
    many = [make_worker(store) for _ in range(8)]
    for worker in many:
        store.put(f".studies/size/workers/{worker.worker_id}.json", b'{"host": "x", "lock": "x"}')
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda worker: claims_of(store, worker).take(0), many))
    assert sum(claim is not None for claim in taken) == 1


def test_a_trial_in_progress_that_nobody_holds_is_interrupted(store, study, make_worker):
    study.begin(0)
    study.begin(1)
    study.end(1, "complete", value=0.5)
    with (worker := make_worker(store)).registered():
        claims_of(store, worker).take(0)
        assert [one.state for one in with_interrupted(study.trials(), Claims(store, "size"))] == ["running", "complete"]
    assert [one.state for one in with_interrupted(study.trials(), Claims(store, "size"))] == ["interrupted", "complete"]
    assert not with_interrupted(study.trials(), Claims(store, "size"))[0].is_over
