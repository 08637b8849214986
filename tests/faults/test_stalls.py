"""A training that hangs for real ends with exit code 75 and a message, and its next attempt ends bit for bit equal."""

import contextlib
import fcntl
import os
import subprocess
import sys
import threading

import pytest

from phase2.testing.same_result import assert_same_result
from phase2.training.checkpoints.checkpoint import load_checkpoint

from .conftest import EVERY_STEP, WORDS
from .processes import only_run

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

STALL = ["--stall-minutes", "0.25"]
RUN = {"PHASE2_RUN_ID": "stalled"}


@pytest.fixture
def read_once(tmp_path):
    """A pipe whose reader goes after the first line, so that whoever opens it to write a second one hangs."""
    pipe = tmp_path / "progress"
    os.mkfifo(pipe)

    def read():
        with pipe.open() as stream:
            stream.readline()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    return pipe


def test_a_callback_that_hangs_is_named_and_the_run_is_continued(train, whole, read_once, tmp_path):
    output, message = tmp_path / "runs", tmp_path / "termination-log"
    hanging = RUN | {"ARGO_PROGRESS_FILE": str(read_once), "PHASE2_TERMINATION_LOG": str(message)}
    ended = train(output, *STALL, environment=hanging)
    assert ended.code == 75, ended.said
    assert "error: No training step after step" in ended.said
    assert "in a callback, in " in ended.said
    assert "argo_progress.py" in ended.said  # in faulthandler's stacks, at the latest
    assert "in a callback, in " in message.read_text()
    load_checkpoint(only_run(output).checkpoint)
    again = train(output, environment=RUN)
    assert again.code == 0, again.said
    assert "continued from" in again.said
    assert_same_result(only_run(output), whole())


@pytest.fixture
def full_pipe():
    """The writing end of a pipe that takes no further byte."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 512)
    os.set_blocking(writing, True)
    yield writing
    os.close(reading)
    os.close(writing)


@pytest.fixture
def pod(tmp_path):
    """Environment of a process that finds itself in a pod."""
    return os.environ | {
        "PHASE2_TERMINATION_LOG": str(tmp_path / "termination-log"),
        "PHASE2_CACHE_DIR": str(tmp_path / "cache"),
    }


def test_a_log_that_nobody_reads_is_named(full_pipe, pod, tmp_path):
    words = [*WORDS, "--epochs", "3", *EVERY_STEP, *STALL, "--output", str(tmp_path / "runs")]
    command = [sys.executable, "-m", "phase2", *words]
    ended = subprocess.run(command, stdout=full_pipe, stderr=subprocess.PIPE, env=pod, timeout=600, check=False)
    assert ended.returncode == 75
    message = (tmp_path / "termination-log").read_text()
    assert "in a callback, in on_epoch_end (callbacks/log_lines.py" in message
    assert "error: The validation after step" in ended.stderr.decode()


BLOCKED_REPORT = """
from phase2.cli.process import boundary
from phase2.errors import TransientError

boundary._REPORT_SECONDS = 1.0
boundary.abort_process(TransientError("It stands still."))
"""


def test_an_error_that_cannot_be_printed_is_in_the_termination_log_and_keeps_no_process_alive(full_pipe, pod, tmp_path):
    command = [sys.executable, "-c", BLOCKED_REPORT]
    assert subprocess.run(command, stderr=full_pipe, env=pod, timeout=600, check=False).returncode == 75
    assert (tmp_path / "termination-log").read_text() == "It stands still.\n"


HELD_LOCK = """
import ctypes
from phase2.cli import main
from phase2.training import learner
from phase2.training.stall import detector

detector._LAST_RESORT = 1.0
step = learner.Learner.step

def hang(self, batch):
    if self.done == 3:
        ctypes.PyDLL(None).pause()  # PyDLL, unlike CDLL, keeps the interpreter's lock
    return step(self, batch)

learner.Learner.step = hang
main(__import__("sys").argv[1:])
"""


def test_native_code_that_keeps_the_interpreter_lock_is_ended_in_a_pod(pod, tmp_path):
    """Nothing of Python runs any more: faulthandler prints the stacks and ends the process, with code 1."""
    command = [sys.executable, "-c", HELD_LOCK, *WORDS, *STALL, "--output", str(tmp_path / "runs")]
    ended = subprocess.run(command, capture_output=True, text=True, env=pod, timeout=600, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "in hang" in ended.stderr
