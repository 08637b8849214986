"""A study that is killed and started again has the same table as one that was not."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bench.study.results import finished_runs
from bench.study.tables import tables_of
from tests.benchmarks.tiny_study import RUNS, TINY

from phase2.runs.catalog.index import list_runs
from phase2.storage.folder import LocalStore

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    return os.environ | {"PYTHONPATH": path, "PHASE2_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}


def start(store, output, environment):
    words = [sys.executable, "-m", "tests.benchmarks.tiny_study", str(store), str(output)]
    return subprocess.Popen(words, env=environment, start_new_session=True, stdout=subprocess.DEVNULL)


def table(store):
    finished = finished_runs(LocalStore(store), RUNS)
    assert len(finished) == len(RUNS)
    tables = tables_of(TINY, [one.result() for one in finished], "val")
    return re.sub(r"\d+ \|$", "|", tables.text(), flags=re.MULTILINE)  # without the seconds


def wait_for(store, pattern, process):
    deadline = time.monotonic() + 200
    while not list(store.glob(pattern)):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_a_killed_study_continues_within_its_run(tmp_path, environment):
    store, whole = tmp_path / "store", tmp_path / "whole"
    process = start(store, tmp_path / "output", environment)
    wait_for(store, "*/run_*/.checkpoints/latest.json", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert [run.status for run in list_runs(LocalStore(store))] == ["unfinished"]
    assert start(store, tmp_path / "elsewhere", environment).wait(200) == 0
    assert start(whole, tmp_path / "uninterrupted", environment).wait(200) == 0
    assert table(store) == table(whole)
    assert "Each further from the run of both" in table(whole)
    assert not list((tmp_path / "elsewhere").rglob("best.pt"))  # what is finished is kept in the store alone
    finished = start(store, tmp_path / "elsewhere", environment)
    assert finished.wait(20) == 0
    assert len(list_runs(LocalStore(store))) == len(RUNS)


@pytest.mark.slow
def test_a_study_that_is_asked_to_stop_stops_its_training(tmp_path, environment):
    store = tmp_path / "store"
    process = start(store, tmp_path / "output", environment)
    wait_for(store, "*/run_*/.checkpoints/latest.json", process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(100) == 143
    assert [run.status for run in list_runs(LocalStore(store))] == ["unfinished"]


@pytest.mark.slow
def test_two_processes_share_a_study(tmp_path, environment):
    store, output = tmp_path / "store", tmp_path / "output"
    first = start(store, output, environment)
    wait_for(store, "*/run_*/.checkpoints/latest.json", first)
    second = start(store, output, environment)
    # 75: a run was left to the other process
    assert {first.wait(200), second.wait(200)} <= {0, 75}
    table(store)  # all are finished
