"""``--backend local``: signals, environment variables, and cluster options without effect."""

import json
import signal
import subprocess
import sys

import pytest
from tests.cluster.support.backend_contract import REQUEST

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.runs.layout import RunDirectory
from phase2.runs.records.run_config import RecordedConfig


@pytest.fixture
def harness(local_harness):
    return local_harness


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_reaches_the_run_which_saves_a_checkpoint(number, harness, cli):
    harness.begin("abc")
    process = harness.detach("abc")
    process.send_signal(number)
    process.communicate()
    assert process.returncode == 143
    assert harness.state("abc") == "unfinished"


@pytest.mark.slow
def test_the_exit_code_of_a_killed_run_is_returned(harness):
    """Also where the run could not choose it."""
    harness.begin("abc")
    process = harness.detach("abc")
    (child,) = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()  # fmt: skip
    subprocess.run(["kill", "-9", child], check=True)
    process.communicate()
    assert process.returncode == 137


def test_options_without_effect_are_listed(cli, monkeypatch):
    arguments = ("submit", *REQUEST, "--backend", "local", "--run-id", "abc", "--dry-run", "--json")
    code, out, err = cli(*arguments, "--gpus", "1", "--memory", "8Gi", "--cpu", "3", "--store", "elsewhere")
    assert code == 0, err
    shown = json.loads(out)
    assert shown["environment"] == {"PHASE2_RUN_ID": "abc", "PHASE2_STORE": "elsewhere", "OMP_NUM_THREADS": "3"}
    assert shown["unused"] == ["--gpus", "--memory"]


def test_a_run_is_resumed_by_the_path_of_its_folder(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = RunDirectory.create(tmp_path / "mine", "multitask_cgcnn")
    RecordedConfig.record(run, resolve(RunRequest(algorithm="cgcnn", level="smoke", output=tmp_path / "mine")))
    for name in (str(run.path), f"mine/{run.family}/{run.name}"):
        code, out, err = cli("submit", "--backend", "local", "--resume", name, "--dry-run", "--json")
        assert code == 0, err
        shown = json.loads(out)
        assert shown["run"] == run.run_id
        assert shown["command"][-2:] == ["--output", str(tmp_path / "mine")]


@pytest.fixture
def run_script(monkeypatch, tmp_path):
    """Run a plan with a shell script in place of Python."""
    from phase2.cluster.local.plan import make_local_plan
    from phase2.cluster.local.process import run_locally
    from phase2.cluster.request.options import ClusterOptions

    def run_script(script):
        program = tmp_path / "python"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        return run_locally(make_local_plan("abc", resolve(RunRequest(algorithm="cgcnn")), ClusterOptions()))

    return run_script


def test_environment_variables_of_another_run_are_removed(monkeypatch, tmp_path, run_script):
    """A resumed run has its own options, whatever the environment sets."""
    from phase2.cluster.local.process import ProcessExit

    monkeypatch.setenv("PHASE2_LEVEL", "max")
    monkeypatch.setenv("PHASE2_RESUME", "another")
    assert run_script(f'echo "$@" > {tmp_path}/printed\nenv >> {tmp_path}/printed\nexit 7') == ProcessExit(7)
    printed = (tmp_path / "printed").read_text().splitlines()
    assert printed[0] == "-m phase2 train --algorithm cgcnn"
    assert "PHASE2_RUN_ID=abc" in printed
    assert not [line for line in printed if line.startswith(("PHASE2_LEVEL", "PHASE2_RESUME"))]


def test_a_run_that_completes_although_it_was_stopped_reports_both(run_script):
    """A sweep stops then, and does not start its next run."""
    from phase2.cluster.local.process import ProcessExit

    script = "trap 'exit 0' TERM\nkill -TERM $PPID\nwhile :; do sleep 0.1; done"
    assert run_script(script) == ProcessExit(0, was_stopped=True)


def test_no_cluster_and_no_image_are_needed(cli, no_cluster):
    code, out, err = cli("submit", *REQUEST, "--backend", "local", "--run-id", "abc", "--dry-run")
    assert code == 0, err
    assert out.splitlines()[-1].startswith("PHASE2_RUN_ID=abc phase2 train --algorithm cgcnn --level smoke")


def test_a_dry_run_says_what_it_costs(cli, no_cluster):
    arguments = ("submit", *REQUEST, "--backend", "local", "--run-id", "abc", "--cpu", "2", "--dry-run")
    code, out, err = cli(*arguments)
    assert (code, "\n# cost: about " in out and " core hours\n" in out) == (0, True), out + err
    shown = json.loads(cli(*arguments, "--json")[1])
    assert shown["cost"]["core_hours"] == pytest.approx(2 * shown["estimated_seconds"] / 3600)
    assert (shown["cost"]["gpu_hours"], shown["cost"]["money"]) == ({}, None)
