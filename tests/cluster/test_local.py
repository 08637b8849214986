"""``--backend local``: signals, variables and words of a cluster that mean nothing here."""

import json
import signal
import subprocess
import sys

import pytest
from tests.cluster.support.backend_contract import REQUEST


@pytest.fixture
def place(local_place):
    return local_place


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_reaches_the_run_which_saves(number, place, say):
    place.begin("abc")
    process = place.leave("abc")
    process.send_signal(number)
    process.communicate()
    assert process.returncode == 143
    assert place.state("abc") == "unfinished"


@pytest.mark.slow
def test_a_run_that_was_killed_says_so(place):
    """Its exit code is that of the run, also where the run had no say in it."""
    place.begin("abc")
    process = place.leave("abc")
    (child,) = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()  # fmt: skip
    subprocess.run(["kill", "-9", child], check=True)
    process.communicate()
    assert process.returncode == 137


def test_what_only_a_cluster_can_do_is_remarked_on(say, monkeypatch):
    words = ("submit", *REQUEST, "--backend", "local", "--run-id", "abc", "--dry-run", "--json")
    code, out, err = say(*words, "--gpus", "1", "--memory", "8Gi", "--cpu", "3", "--store", "elsewhere")
    assert code == 0, err
    shown = json.loads(out)
    assert shown["environment"] == {"PHASE2_RUN_ID": "abc", "PHASE2_STORE": "elsewhere", "OMP_NUM_THREADS": "3"}
    assert shown["unused"] == ["--gpus", "--memory"]


@pytest.fixture
def run_script(monkeypatch, tmp_path):
    """Carries out a run, with a shell script in the place of Python."""
    from phase2.cluster.local import make_local_plan, run_locally
    from phase2.cluster.request.options import ClusterOptions
    from phase2.config.request import RunRequest
    from phase2.config.resolve import resolve

    def run_script(script):
        program = tmp_path / "python"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        return run_locally(make_local_plan("abc", resolve(RunRequest(algorithm="cgcnn")), ClusterOptions()))

    return run_script


def test_variables_of_another_run_do_not_reach_it(monkeypatch, tmp_path, run_script):
    """A run that is resumed has its own words, whatever the environment says of others."""
    from phase2.cluster.local import ProcessExit

    monkeypatch.setenv("PHASE2_LEVEL", "max")
    monkeypatch.setenv("PHASE2_RESUME", "another")
    assert run_script(f'echo "$@" > {tmp_path}/said\nenv >> {tmp_path}/said\nexit 7') == ProcessExit(7)
    said = (tmp_path / "said").read_text().splitlines()
    assert said[0] == "-m phase2 train --algorithm cgcnn"
    assert "PHASE2_RUN_ID=abc" in said
    assert not [line for line in said if line.startswith(("PHASE2_LEVEL", "PHASE2_RESUME"))]


def test_a_run_that_ends_well_although_it_was_told_to_stop_says_both(run_script):
    """A sweep stops then, and does not begin its next run."""
    from phase2.cluster.local import ProcessExit

    told = "trap 'exit 0' TERM\nkill -TERM $PPID\nwhile :; do sleep 0.1; done"
    assert run_script(told) == ProcessExit(0, was_told_to_stop=True)


def test_no_cluster_and_no_image_are_needed(say, no_cluster):
    code, out, err = say("submit", *REQUEST, "--backend", "local", "--run-id", "abc", "--dry-run")
    assert code == 0, err
    assert out.splitlines()[-1].startswith("PHASE2_RUN_ID=abc phase2 train --algorithm cgcnn --level smoke")
