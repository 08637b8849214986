"""Signals to whole processes: what is saved, the exit code, and that a repeated signal does no harm."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from phase2.config.request.run_request import RunRequest
from phase2.errors import PreemptedError
from phase2.training.checkpoints.checkpoint import load_checkpoint
from phase2.training.interruption import SignalStopRequest


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHASE2_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


class Training:
    """A training in a process of its own, which has a checkpoint."""

    def __init__(self, output: Path) -> None:
        request = RunRequest(algorithm="cgcnn", level="smoke", max_samples=60, epochs=4000, output=output)
        command = [sys.executable, "-m", "phase2", *request.command()[1:]]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 200
        while not (found := list(output.glob("multitask_cgcnn/run_*/history.json"))):
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.run = found[0].parent

    def end(self) -> tuple[int, str]:
        try:
            _, said = self.process.communicate(timeout=100)
        finally:
            self.process.kill()
        return self.process.returncode, said


@pytest.mark.slow
@pytest.mark.parametrize(
    "signals", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGTERM] * 5, [signal.SIGINT, signal.SIGTERM]], ids=str
)
def test_a_signal_saves_and_ends_with_143_however_often_it_is_sent(tmp_path, signals):
    training = Training(tmp_path)
    for number in signals:
        training.process.send_signal(number)
        time.sleep(0.01)
    code, said = training.end()
    assert code == 143, said
    assert f"Stopped by {signals[0].name} after step" in said
    assert "Traceback" not in said
    step = int(said.partition("after step ")[2].split()[0])
    assert load_checkpoint(training.run / "checkpoint.pt").step == step
    assert '"interrupted"' in (training.run / "attempts.json").read_text()


@pytest.mark.slow
def test_a_second_interrupt_ends_at_once_and_leaves_a_usable_checkpoint(tmp_path):
    training = Training(tmp_path)
    for _ in range(2):
        training.process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    code, said = training.end()
    # 143 when the first one was carried out before the second came; a shell calls death by SIGINT 130 as well.
    assert code in {130, 143, -signal.SIGINT}, said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert load_checkpoint(training.run / "checkpoint.pt").step > 0


BUSY = """
import sys, time
from phase2.cli import main

def busy(*_, **__):
    print("busy", flush=True)
    time.sleep(60)

if sys.argv[1] == "train":
    from phase2.data.dataset import CrystalPropertyDataset
    CrystalPropertyDataset.load = busy
else:
    from phase2.runs.catalog import index
    index.list_runs = busy
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", [["train", "--algorithm", "cgcnn"], ["runs", "list"]], ids=lambda words: words[0])
def test_a_command_that_is_stopped_with_nothing_to_save_ends_with_143(tmp_path, command):
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stdout.readline() == "busy\n"
    for _ in range(3):
        process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    assert said.startswith("error: Stopped by SIGTERM.")
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


def test_outside_of_a_deferred_block_a_signal_ends_the_block():
    with pytest.raises(PreemptedError, match="Stopped by SIGTERM"), SignalStopRequest():
        os.kill(os.getpid(), signal.SIGTERM)


def test_inside_of_a_deferred_block_a_signal_is_recorded():
    with SignalStopRequest() as stop, stop.deferred():
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.reason == "SIGINT"
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.reason == "SIGINT"
