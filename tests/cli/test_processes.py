"""``phase2 train --processes`` and ``--gpus``: one run by several processes, as their user sees it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from phase2.cli import main
from phase2.cli.process.failure import hand_over, read_failures
from phase2.cli.training.processes import _set_environment
from phase2.config.settings import STAY_VARIABLE
from phase2.errors import DataError
from phase2.machine.hardware import available_cores
from phase2.runs.records.manifest import read_manifest

SMALL = ["--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--no-baselines"]


def train(output: Path, *words: str, launcher: tuple[str, ...] = ("phase2",)) -> list[str]:
    return [sys.executable, "-m", *launcher, "train", *SMALL, "--output", str(output), *words]


def only(folder: Path, name: str) -> Path:
    (found,) = folder.rglob(name)
    return found


def started(command: list[str], output: Path) -> subprocess.Popen:
    """Start a command, and wait for the first checkpoint."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 200
    while not list(output.rglob("checkpoint.pt")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--gpus", "97"], "97 GPUs are asked for"),
        (["--gpus", "2", "--processes", "2"], "exclude each other"),
        (["--gpus", "2", "--device", "cpu"], "contradict each other"),
        (["--processes", "2", "--device", "cuda"], "contradict each other"),
        (["--processes", "2", "--ensemble", "2"], "exclude each other"),
        (["--processes", "9", "--batch-size", "8"], "cannot share a batch of 8 crystals"),
    ],
)
def test_what_cannot_be_is_refused_before_any_process_starts(tmp_path, capsys, words, says):
    assert main(["train", *SMALL, "--output", str(tmp_path / "runs"), *words]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_the_variables_of_a_launcher_have_to_fit(tmp_path, capsys, monkeypatch):
    for name, value in (("RANK", "2"), ("WORLD_SIZE", "2"), ("LOCAL_RANK", "0"), ("LOCAL_WORLD_SIZE", "2")):
        monkeypatch.setenv(name, value)
    assert main(["train", *SMALL, "--output", str(tmp_path / "runs")]) == 2
    assert "RANK=2" in capsys.readouterr().err
    monkeypatch.setenv("RANK", "1")
    assert main(["train", *SMALL, "--output", str(tmp_path / "runs")]) == 2
    assert "MASTER_ADDR is not set" in capsys.readouterr().err


def test_a_pod_without_the_gpus_that_it_reserves_ends_for_another_attempt(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PHASE2_GPUS", "97")
    assert main(["train", *SMALL, "--output", str(tmp_path / "runs")]) == 75
    assert "This pod reserves 97 GPUs" in capsys.readouterr().err
    assert main(["tune", *SMALL[:-1], "--over", "lr=1e-3,1e-2", "--output", str(tmp_path / "runs")]) == 2
    assert "A trial trains on one GPU, and this pod reserves 97" in capsys.readouterr().err
    monkeypatch.setenv("PHASE2_GPUS", "four")
    assert main(["train", *SMALL, "--output", str(tmp_path / "runs")]) == 2
    assert "'--gpus'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "reserved", "each"), [("9", "4", "2"), ("2", "4", "1"), ("9", "", "9"), ("", "4", None)]
)
def test_the_processes_of_a_pod_share_its_threads(monkeypatch, given, reserved, each):
    for name, value in (("OMP_NUM_THREADS", given), ("PHASE2_GPUS", reserved)):
        monkeypatch.setenv(name, value)
    for name in ("GLOO_SOCKET_IFNAME", "TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "LOGLEVEL"):
        monkeypatch.setenv(name, "")
    _set_environment(4)
    assert os.environ["OMP_NUM_THREADS"] == (each or str(max(1, int(available_cores()) // 4)))


def test_an_error_is_handed_over_to_the_command_alone(tmp_path, monkeypatch):
    class OfAnotherModuleError(DataError):
        pass

    error = OfAnotherModuleError("It broke.", why="It was thin.", fix="Mend it.")
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "error.json"))
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "of-another-launcher")
    monkeypatch.setenv("RANK", "3")
    assert not hand_over(error)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "phase2-1")
    assert hand_over(error)
    (found,) = read_failures(tmp_path)
    assert (found.rank, type(found.error), found.error.fix) == (3, DataError, "Mend it.")
    (tmp_path / "error.json").write_text("[")
    assert not read_failures(tmp_path)


@pytest.mark.slow
def test_an_error_of_all_processes_is_told_once(cache, tmp_path):
    data = tmp_path / "damaged.json"
    data.write_text("[{")
    done = subprocess.run(
        train(tmp_path / "runs", "--processes", "2", "--data", str(data)), capture_output=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.decode().count("error: ") == 1
    assert b"Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_torchrun_starts_the_same_run(cache, tmp_path):
    """By this command, and by torchrun: equal to the last digit; by one process, to the sixth."""
    torchrun = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "phase2")
    commands = [
        train(tmp_path / "own", "--epochs", "2", "--processes", "2"),
        train(tmp_path / "torchrun", "--epochs", "2", launcher=torchrun),
        train(tmp_path / "alone", "--epochs", "2"),
    ]
    for command in commands:
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    own, by_torchrun, alone = (
        json.loads(only(tmp_path / name, "history.json").read_text()) for name in ("own", "torchrun", "alone")
    )
    assert [row["val_score"] for row in own] == [row["val_score"] for row in by_torchrun]
    assert [row["val_score"] for row in own] == pytest.approx([row["val_score"] for row in alone], rel=1e-5)
    assert all(1 <= row["imbalance"] < 1.1 for row in own)
    assert all("imbalance" not in row for row in alone)
    manifests = [read_manifest(only(tmp_path / name, "run_manifest.json")) for name in ("own", "alone")]
    assert [manifest.hardware.processes for manifest in manifests] == [2, None]
    assert manifests[0].config_digest == manifests[1].config_digest


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_a_killed_process_ends_the_run_at_once_and_it_is_resumed(cache, tmp_path, number):
    words = ("--epochs", "4000", "--processes", "2")
    process = started(train(tmp_path, *words), tmp_path)
    members = [c for c in psutil.Process(process.pid).children() if "LOCAL_RANK" in c.environ()]
    (victim,) = (member for member in members if member.environ()["RANK"] == str(number))
    victim.kill()
    _, told = process.communicate(timeout=30)
    assert process.returncode == 75
    assert told.count("error: ") == 1
    assert f"Process {number} of the run was ended by SIGKILL" in told
    assert not any(member.is_running() for member in members)
    again = subprocess.Popen(
        train(tmp_path, *words, "--resume"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in again.stdout:  # until the first epoch of the second attempt
        if line.startswith('{"epoch"'):
            break
    again.send_signal(signal.SIGTERM)
    _, told = again.communicate(timeout=60)
    assert again.returncode == 143
    assert told.count("error: ") == 1
    assert "Stopped by SIGTERM after step" in told
    attempts = json.loads(only(tmp_path, "attempts.json").read_text())
    assert [attempt["outcome"] for attempt in attempts][1:] == ["interrupted"]
    assert attempts[1]["resumed_from"]


@pytest.mark.slow
def test_a_stop_saves_where_all_processes_are(cache, tmp_path):
    process = started(train(tmp_path, "--epochs", "4000", "--processes", "2"), tmp_path)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 143
    assert told.count("error: ") == 1
    assert "Stopped by SIGINT after step" in told
    (attempt,) = json.loads(only(tmp_path, "attempts.json").read_text())
    assert attempt["outcome"] == "interrupted"


@pytest.fixture
def pods(tmp_path):
    """Starts a command as one of two pods would: by the number of its node."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        unused = free.getsockname()[1]
    running = []

    def start(rank: int, command: list[str], port: int = unused, **more: str) -> subprocess.Popen:
        address = {"PET_MASTER_ADDR": "127.0.0.1", "PET_MASTER_PORT": str(port)}
        own = {"PET_NNODES": "2", "PET_NODE_RANK": str(rank), STAY_VARIABLE: "1", "OMP_NUM_THREADS": "1"}
        running.append(
            subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | address | own | more)
        )
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_a_pod_that_has_trained_its_share_stays_until_it_is_asked_to_leave(cache, tmp_path, pods):
    first, other = (pods(rank, train(tmp_path, "--epochs", "1")) for rank in (0, 1))
    first.communicate(timeout=120)
    assert first.returncode == 0
    while "stays until the run is closed" not in (line := other.stderr.readline()):
        assert line, "it ended before"
    other.terminate()
    assert other.wait(timeout=30) == 143


@pytest.mark.slow
def test_two_pods_of_two_processes_train_as_four_processes_do(cache, tmp_path, pods):
    together = train(tmp_path / "together", "--epochs", "2", "--processes", "4")
    subprocess.run(together, check=True, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    command = train(tmp_path / "pods", "--epochs", "2", "--processes", "2")
    first, other = (pods(node, command) for node in (0, 1))
    assert "trained its share" not in first.communicate(timeout=200)[1]
    assert first.returncode == 0
    said = iter(other.stderr.readline, "")
    assert next(line for line in said if "stays until the run is closed" in line)
    other.terminate()
    assert other.wait(timeout=60) == 143
    assert "stays until" not in other.stderr.read(), "once for the pod, not for each process"
    rows, parts = (json.loads(only(tmp_path / name, "history.json").read_text()) for name in ("together", "pods"))
    assert [row["val_score"] for row in rows] == [row["val_score"] for row in parts]
    assert read_manifest(only(tmp_path / "pods", "run_manifest.json")).hardware.processes == 4


@pytest.mark.slow
def test_a_process_that_is_killed_ends_both_pods_and_the_run_goes_on(cache, tmp_path, pods):
    command = train(tmp_path / "whole", "--epochs", "6", "--processes", "2", "--checkpoint-minutes", "0.001")
    first, other = (pods(node, command) for node in (0, 1))
    deadline = time.monotonic() + 200
    while not list((tmp_path / "whole").rglob("checkpoint.pt")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    members = [c for c in psutil.Process(other.pid).children() if "LOCAL_RANK" in c.environ()]
    members[-1].kill()
    for pod in (first, other):
        pod.communicate(timeout=100)
        assert pod.returncode == 75
    (run,) = (tmp_path / "whole").rglob("run_2*")
    again = train(tmp_path / "whole", "--resume", "--epochs", "6", "--processes", "2")
    first, other = (pods(node, again) for node in (0, 1))
    assert first.wait(timeout=200) == 0
    assert len(json.loads((run / "history.json").read_text())) == 6


@pytest.mark.slow
@pytest.mark.parametrize("broken", [0, 1])
def test_what_ends_one_pod_for_good_ends_the_other_alike(cache, tmp_path, pods, broken):
    (tmp_path / "file").touch()
    command, unusable = train(tmp_path, "--epochs", "4000"), {"PHASE2_CACHE_DIR": str(tmp_path / "file")}
    both = [pods(rank, command, **(unusable if rank == broken else {})) for rank in (0, 1)]
    told = [pod.communicate(timeout=200)[1] for pod in both]
    assert [pod.returncode for pod in both] == [2, 2]
    (why,) = {line for one in told for line in one.splitlines() if line.startswith("error: ")}
    assert str(tmp_path / "file") in why


@pytest.mark.slow
def test_pods_of_a_run_that_is_in_the_store_end_well_and_wait_for_nobody(cache, tmp_path, pods):
    command = train(tmp_path / "here", "--epochs", "1", "--store", str(tmp_path / "store"))
    named = {"PHASE2_RUN_ID": "pair"}
    for pod in [pods(rank, command, **named) for rank in (0, 1)]:
        pod.communicate(timeout=200)
        assert pod.returncode == 0
    for rank in (0, 1):
        again = pods(rank, train(tmp_path / "elsewhere", "--epochs", "1", "--store", str(tmp_path / "store")), **named)
        assert "is finished already" in again.communicate(timeout=100)[1]
        assert again.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_pod_whose_other_never_comes_ends_for_good_after_its_time(cache, tmp_path, pods, rank):
    alone = pods(rank, train(tmp_path), PHASE2_JOIN_MINUTES="0.05")
    told = alone.communicate(timeout=100)[1]
    assert alone.returncode == 2
    assert "The 2 processes of this run have not met within 0.05 minutes." in told


@pytest.mark.slow
def test_a_pod_that_waits_for_the_first_leaves_at_once_when_asked(cache, tmp_path, pods):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        waiting = pods(1, train(tmp_path, "--epochs", "1"), silent.getsockname()[1])
        silent.settimeout(120)
        connection, _ = silent.accept()
        with connection:
            waiting.terminate()
            assert waiting.wait(timeout=30) == 143
