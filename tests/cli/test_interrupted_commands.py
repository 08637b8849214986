"""What commands that train several runs say after Ctrl-C: the very words that continue them, which then do."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from phase2.cli.training.continuation import continued_as_started, continued_by
from phase2.cli.training.monitoring import Monitoring
from phase2.errors import PreemptedError
from phase2.training.stall.detector import StallDetector

SMALL = ("--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "5000")
COMMANDS = {
    "tune": ("tune", *SMALL, "--over", "training.lr=1e-4..1e-1:log", "--trials", "2", "--name", "mine"),
    "sweep": ("sweep", *SMALL[:4], "--max-samples=60", "--epochs=5000", "--seed", "1,2", "--backend", "local",
              "--name", "mine"),
    "cross-validate": ("cross-validate", *SMALL, "--folds", "2", "--name", "mine"),
    "submit": ("submit", *SMALL, "--backend", "local", "--run-id", "mine"),
    "ensemble": ("train", *SMALL, "--ensemble", "2", "--no-baselines"),
}  # fmt: skip


def interrupted(folder, words):
    """Run a command until its first run has trained an epoch, send Ctrl-C; returns its exit code and what it said."""
    seen = set(folder.rglob("history.json"))
    command = [sys.executable, "-m", "phase2", *words]
    environment = os.environ | {"KUBECONFIG": str(folder / "none")}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=-1, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 200
    try:
        while not set(folder.rglob("history.json")) - seen:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=100)
    finally:
        process.kill()
    return process.returncode, said


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_an_interrupted_command_says_what_continues_it(say, cache, tmp_path, monkeypatch, name):
    monkeypatch.delenv("PHASE2_STORE", raising=False)
    code, said = interrupted(tmp_path, COMMANDS[name])
    assert code == 143, said
    if name == "submit":
        words = ("submit", "--resume", "mine", "--backend", "local")
        assert f"to continue it: phase2 {' '.join(words)}" in said
        monkeypatch.chdir(tmp_path)
        assert say(*words, "--dry-run")[0] == 0
        return
    last = said.rstrip().splitlines()[-1].strip()
    if name == "ensemble":
        chosen = said.partition("ensemble: ")[2].partition(",")[0]
        assert last == f"fix: Run the same command with --resume {chosen}."
        assert say(*COMMANDS[name], "--output", tmp_path / "models", "--resume", chosen, "--dry-run")[0] == 0
        return
    assert last.endswith("un the same command with --name mine" + ("." if name == "tune" else "")), said
    assert "--resume" not in said
    if name == "tune":
        code, study, err = say("tune", "show", "mine", "--store", tmp_path / "models", "--json")
        assert code == 0, err
        assert [trial["state"] for trial in study["trials"]] == ["interrupted"], json.dumps(study)


def test_only_the_advice_of_a_stop_is_replaced():
    with pytest.raises(PreemptedError) as stopped, continued_by("Do this."):
        raise PreemptedError("Stopped.", why="So.", fix="Do that.")
    assert (stopped.value.what, stopped.value.why, stopped.value.fix) == ("Stopped.", "So.", "Do this.")


def test_a_stall_names_what_continues_the_command():
    def advice():
        with Monitoring(stall_minutes=30).callbacks() as callbacks:
            (detector,) = (one for one in callbacks if isinstance(one, StallDetector))
            return detector._error(1900).fix

    assert "--resume" in advice()
    with continued_by("Run the same command with --name mine."):
        assert advice().startswith("Run the same command with --name mine. Where steps may take so long")
    assert "--resume" in advice()


@pytest.mark.parametrize(("run_id", "told"), [("mine-0", "Start 'mine-0' again"), (None, "Do that.")])
def test_a_run_that_something_else_named_is_started_again_as_it_was(monkeypatch, run_id, told):
    monkeypatch.delenv("PHASE2_RUN_ID", raising=False)
    if run_id:
        monkeypatch.setenv("PHASE2_RUN_ID", run_id)
    with pytest.raises(PreemptedError, match=told), continued_as_started():
        raise PreemptedError("Stopped.", fix="Do that.")
