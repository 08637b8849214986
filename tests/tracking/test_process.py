"""The process of a tracker: bounded in time, repeated until it works, and gone with the training."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.tracking.conftest import row
from tests.tracking.test_mlflow import steps, the_run

from phase2.tracking.messages import End, Rows
from phase2.tracking.process import TrackerProcess

_ORPHAN = """
import pickle, sys, time
from phase2.tracking.process import TrackerProcess
process = TrackerProcess("tensorboard")
process.send(pickle.load(sys.stdin.buffer))
while process.report is None:
    time.sleep(0.01)
print(process._process.pid, flush=True)
time.sleep(600)
"""


def wait_until(condition, seconds=100):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_server_that_hangs_costs_its_patience_and_no_more(make_page, hanging_server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", hanging_server)
    process = TrackerProcess("mlflow")
    process.send(make_page(1))
    process.send(End("finished"))
    last = process.wait(time.monotonic() + 1)
    assert not last.complete
    assert "does not answer in time" in last.text
    assert process._process.returncode is not None


def test_a_wrong_token_is_reported(make_page, refusing_server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", refusing_server)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret-token-of-mine")
    process = TrackerProcess("mlflow")
    process.send(make_page(1))
    process.send(End("finished"))
    last = process.wait(time.monotonic() + 200)
    assert not last.complete
    assert "401" in last.text
    assert "secret-token" not in last.text


def test_what_was_not_sent_is_sent_with_the_next_epoch(make_page, mlflow_client, monkeypatch):
    """The experiment of that id is made while the run is tracked: before, the server refuses every request."""
    missing = str(int(mlflow_client.create_experiment(f"before-{time.time_ns()}")) + 1)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", missing)
    process = TrackerProcess("mlflow")
    process.send(make_page(1))
    wait_until(lambda: process.report is not None)
    assert not process.report.complete
    assert mlflow_client.create_experiment(os.environ["MLFLOW_EXPERIMENT_NAME"]) == missing
    process.send(Rows((row(2),)))
    process.send(End("finished"))
    last = process.wait(time.monotonic() + 200)
    assert last.complete, last.text
    assert steps(mlflow_client, the_run(mlflow_client)) == [1, 2]


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks a process up in /proc")
def test_the_process_ends_by_itself_when_the_training_is_killed(make_page, tmp_path):
    import pickle

    training = subprocess.Popen([sys.executable, "-c", _ORPHAN], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    training.stdin.write(pickle.dumps(make_page(1)))
    training.stdin.flush()
    child = training.stdout.readline().decode().strip()
    training.kill()
    training.wait()
    training.stdin.close()
    training.stdout.close()
    status = Path(f"/proc/{child}/status")
    wait_until(lambda: not status.exists() or "zombie" in status.read_text())
    (file,) = (tmp_path / "models" / "tensorboard").rglob("events*")
    assert b"failed" in file.read_bytes()
