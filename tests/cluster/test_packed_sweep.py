"""``phase2 sweep --pack``: several runs at once, each as if it were alone."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from tests.cluster.support.image_names import BY_DIGEST
from tests.cluster.support.stored_api import JOBS

from phase2.cli.cluster.submission.local_sweep import _exit_code
from phase2.cli.console import echo, note
from phase2.cluster.local.plan import make_local_plan
from phase2.cluster.local.process import ProcessExit, run_packed
from phase2.cluster.manifests.packed_sweep import build_packed_sweep
from phase2.cluster.plan import make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.multirun.sweep import SweepRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError
from phase2.runs.layout import RunDirectory
from phase2.runs.records.manifest import read_manifest
from phase2.testing.same_result import assert_same_result

TINY = ("--algorithm", "cgcnn", "--level", "smoke", "--max-samples", "60", "--epochs", "2")
SWEEP = ("sweep", *TINY, "--seed", "1,2,3", "--name", "try", "--backend", "local", "--pack", "2", "--cpu", "2")


@pytest.fixture
def run_scripts(monkeypatch, tmp_path):
    """Run plans with a shell script in place of Python, several at once; returns how they ended."""

    def run_scripts(script, ids, at_once):
        program = tmp_path / "python"
        program.write_text(f"#!/bin/sh\ncd {tmp_path}\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))
        request = resolve(RunRequest(algorithm="cgcnn"))
        plans = [make_local_plan(run_id, request, ClusterOptions(cpu="7"), packed=at_once) for run_id in ids]
        ends = {}
        stopped = run_packed(
            plans, at_once, on_output=echo, on_note=note, on_end=lambda plan, end: ends.update({plan.run_id: end})
        )
        return ends, stopped

    return run_scripts


def test_so_many_run_at_once_and_a_failure_stops_no_other(run_scripts, tmp_path, capfd):
    """The first two meet, which they can only at once; a third at the same time would leave a trace."""
    script = """
    mkdir running.$PHASE2_RUN_ID; ls -d running.* | wc -l >> seen
    touch met.$PHASE2_RUN_ID
    if [ $PHASE2_RUN_ID = a ]; then until [ -e met.b ]; do sleep 0.05; done; fi
    if [ $PHASE2_RUN_ID = b ]; then until [ -e met.a ]; do sleep 0.05; done; fi
    echo "$OMP_NUM_THREADS threads, $PHASE2_PACKED packed, port '$PHASE2_METRICS_PORT'"; echo trouble >&2
    rmdir running.$PHASE2_RUN_ID
    test $PHASE2_RUN_ID != b || exit 3
    """
    ends, stopped = run_scripts(script, ["a", "b", "c", "d"], 2)
    assert (ends, stopped) == (
        {"a": ProcessExit(0), "b": ProcessExit(3), "c": ProcessExit(0), "d": ProcessExit(0)},
        False,
    )
    assert max(map(int, (tmp_path / "seen").read_text().split())) == 2
    printed = capfd.readouterr()
    assert sorted(printed.out.splitlines()) == [f"{one}: 3 threads, 2 packed, port ''" for one in "abcd"]
    assert sorted(printed.err.splitlines()) == [f"{one}: trouble" for one in "abcd"]


def test_a_signal_reaches_all_and_no_other_starts(run_scripts, tmp_path):
    script = """
    trap 'touch stopped.$PHASE2_RUN_ID; exit 143' TERM
    touch started.$PHASE2_RUN_ID
    if [ $PHASE2_RUN_ID = b ]; then until [ -e started.a ]; do sleep 0.05; done; kill -TERM $PPID; fi
    while :; do sleep 0.05; done
    """
    ends, stopped = run_scripts(script, ["a", "b", "c"], 2)
    assert (ends, stopped) == ({"a": ProcessExit(143, True), "b": ProcessExit(143, True)}, True)
    assert sorted(one.name for one in tmp_path.glob("st*.*")) == ["started.a", "started.b", "stopped.a", "stopped.b"]


def test_runs_end_although_nobody_reads_what_they_print(run_scripts, monkeypatch):
    """More than a pipe holds: a run would wait for ever."""
    gone, end = os.pipe()
    os.close(gone)
    monkeypatch.setattr(sys, "stdout", os.fdopen(end, "w"))
    ends, _ = run_scripts("yes long enough to fill the pipe | head -n 20000", ["a", "b"], 2)
    assert ends == {"a": ProcessExit(0), "b": ProcessExit(0)}
    with suppress(OSError):
        sys.stdout.close()


def test_threads_are_divided_and_each_has_one_at_least():
    request = resolve(RunRequest(algorithm="cgcnn"))
    for cpu, packed, threads in (("8", 4, "2"), ("7", 2, "3"), ("2", 8, "1"), ("8", 1, "8")):
        plan = make_local_plan("a", request, ClusterOptions(cpu=cpu), packed=packed)
        assert plan.environment["OMP_NUM_THREADS"] == threads
        assert plan.environment.get("PHASE2_PACKED") == (str(packed) if packed > 1 else None)


def test_a_dry_run_shows_it(cli, no_cluster):
    code, out, err = cli(*SWEEP, "--dry-run")
    assert code == 0, err
    assert "PHASE2_RUN_ID=try-2 OMP_NUM_THREADS=1 PHASE2_PACKED=2" in out


@pytest.mark.parametrize("pack", ["0", "65"])
def test_numbers_that_cannot_be_meant_are_refused(cli, no_cluster, pack):
    code, _, err = cli("sweep", *TINY, "--backend", "local", "--pack", pack)
    assert (code, "--pack" in err) == (2, True)


@pytest.mark.parametrize("backend", ["argo", "jobset", "trainjob"])
def test_other_backends_refuse_it(cli, api, backend):
    code, _, err = cli("sweep", *TINY, "--seed", "1,2", "--image", BY_DIGEST, "--backend", backend, "--pack", "2")
    assert (code, f"--pack 2 cannot be combined with --backend {backend}" in err) == (2, True)
    assert api.all(JOBS) == []


PACKED = ("sweep", *TINY, "--seed", "1,2,3", "--name", "try", "--image", BY_DIGEST, "--pack", "2")


def test_on_a_cluster_one_job_trains_all_runs(cli, api):
    code, out, err = cli(*PACKED, "--gpus", "1", "--checkpoint-minutes", "2")
    assert code == 0, err
    (job,) = api.all(JOBS)
    labels, pod = job["metadata"]["labels"], job["spec"]["template"]["spec"]
    assert (labels["phase2.dev/run-id"], labels["phase2.dev/mode"]) == ("try", "sweep")
    assert "phase2.dev/level" not in labels
    (container,) = pod["containers"]
    assert container["args"] == [
        *("sweep", "--name", "try", "--algorithm", "cgcnn", "--level", "smoke", "--seed", "1,2,3", "--epochs", "2"),
        *("--max-samples", "60", "--pack", "2", "--backend", "local", "--checkpoint-minutes", "2"),
    ]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert "PHASE2_RUN_ID" not in {one["name"] for one in container["env"]}
    assert job["metadata"]["annotations"]["phase2.dev/command"].endswith(
        "--seed 1,2,3 --epochs 2 --max-samples 60 --pack 2"
    )
    code, out, _ = cli(*PACKED, "--gpus", "1", "--checkpoint-minutes", "2")
    assert (code, "already submitted" in out) == (0, True)


def test_what_its_pod_is_called_with_trains_the_runs_that_were_asked_for(cli, api, no_cluster):
    manifest = json.loads(cli(*PACKED, "--dry-run", "--json")[1])["manifests"][0]
    code, out, err = cli(*manifest["spec"]["template"]["spec"]["containers"][0]["args"], "--dry-run")
    assert code == 0, err
    for number, seed in enumerate((1, 2, 3)):
        assert f"PHASE2_RUN_ID=try-{number} " in out
        assert f"--seed {seed}" in out


def test_one_run_is_not_packed(cli, api):
    assert cli("sweep", *TINY, "--name", "try", "--image", BY_DIGEST, "--pack", "2")[0] == 0
    (job,) = api.all(JOBS)
    assert job["metadata"]["labels"]["phase2.dev/run-id"] == "try-0"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--nodes", "2"), "--nodes 2 cannot be combined with --pack 2"),
        (("--gpus", "2"), "--gpus 2 cannot be combined with --pack 2"),
        (("--cpu", "1", "--memory", "600Mi"), "memory"),
    ],
    ids=["nodes", "gpus", "memory of both"],
)
def test_what_packed_runs_cannot_have_is_refused(cli, api, words, told):
    code, _, err = cli(*PACKED, *words)
    assert (code, told in err) == (2, True), err
    assert api.all(JOBS) == []


def test_runs_with_different_resources_are_refused():
    first, other = (
        make_plan(f"try-{number}", resolve(RunRequest(algorithm="cgcnn", level="smoke", seed=number)), cluster)
        for number, cluster in enumerate(
            (ClusterRequest(image=Image.parse(BY_DIGEST)), ClusterRequest(image=Image.parse(BY_DIGEST), gpus=1))
        )
    )
    request = SweepRequest(algorithm="cgcnn", lists={"level": "smoke", "seed": "0,1"})
    with pytest.raises(RequestError, match="try-0 and try-1 have different ones"):
        build_packed_sweep("try", request, [first, other], 2)


@pytest.mark.parametrize(
    ("codes", "code"), [([], 0), ([0, 0], 0), ([0, 3, 2], 3), ([3, 75], 75), ([0, 75, 3], 75), ([137, 3], 137)]
)
def test_a_failure_that_another_try_may_cure_is_the_exit_code(codes, code):
    assert _exit_code(codes) == code


@pytest.mark.slow
def test_a_packed_run_is_that_of_a_run_alone_and_says_that_it_was_packed(cli, graphs, monkeypatch, tmp_path):
    monkeypatch.setenv("PHASE2_CACHE_DIR", graphs)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    code, out, err = cli(*SWEEP)
    assert code == 0, err
    assert out.startswith("sweep: try, 3 runs, 2 at once, 1 thread each\n")
    assert out.splitlines()[-1].startswith("best: try-")
    code, _, err = cli("submit", *TINY, "--seed", "2", "--backend", "local", "--run-id", "alone", "--cpu", "1")
    assert code == 0, err
    models = tmp_path / "models" / "multitask_cgcnn"
    found = {read_manifest(path).run_id: path.parent for path in models.glob("*/run_manifest.json")}
    assert found.keys() == {"try-0", "try-1", "try-2", "alone"}
    assert_same_result(RunDirectory(found["alone"]), RunDirectory(found["try-1"]))
    assert read_manifest(found["try-1"] / "run_manifest.json").execution.packed == 2
    assert read_manifest(found["alone"] / "run_manifest.json").execution.packed is None
    code, out, err = cli(*SWEEP, "--json")
    assert (code, [one["exit_code"] for one in json.loads(out)["runs"]]) == (0, [0, 0, 0]), err
    assert "epoch" not in err, "nothing is trained twice"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_stopped_sweep_resumes_its_runs(graphs, monkeypatch, tmp_path, number):
    environment = os.environ | {"PHASE2_CACHE_DIR": graphs, "KUBECONFIG": str(tmp_path / "none")}
    command = [sys.executable, "-m", "phase2", *SWEEP, "--epochs", "5000"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, stderr=-2)
    begun = set()
    lines = []
    for line in process.stdout:  # until both have trained an epoch
        lines.append(line)
        if '"epoch": 3,' in line:
            begun.add(line[:5])
        if len(begun) == 2:
            break
    process.send_signal(number)
    rest, _ = process.communicate(timeout=300)
    assert process.returncode == 143, "".join(lines) + rest
    models = tmp_path / "models" / "multitask_cgcnn"
    stopped = sorted(models.glob("*/checkpoint.pt"))
    assert len(stopped) == 2
    assert not list(models.glob("*/run_manifest.json"))
    again = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, stderr=-2)
    resumed = set()
    for line in again.stdout:
        if "(continued from epoch " in line:
            resumed.add(line[:5])
        if len(resumed) == 2:
            break
    again.send_signal(signal.SIGTERM)
    again.communicate(timeout=300)
    assert resumed == {"try-0", "try-1"}
