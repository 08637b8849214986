"""The first day of a platform engineer: install under names of one's own, do what is printed, and leave nothing.

The tests follow one another, as the day does.
"""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest
from tests.argo.manifests import ROOT
from tests.chart.conftest import helm  # noqa: F401 - a fixture
from tests.on_cluster.lab.building import builds
from tests.on_cluster.lab.services.argo_controller import ArgoController
from tests.on_cluster.lab.services.store import BUCKET
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support.charts import ChartNamespace
from tests.on_cluster.support.runs import epochs_of

from phase2.runs.catalog.index import list_runs
from phase2.runs.publish.reader import PublishedRun

pytestmark = [pytest.mark.cluster, pytest.mark.argo, pytest.mark.slow, pytest.mark.timeout(1500)]

NAMESPACE, RELEASE = "materials", "day1"
DEFAULTS = {
    "all": {
        "all": {"cpu": "250m", "memory": "2Gi"},
        "max": {"gpus": 1, "gpuResource": "nvidia.com/mig-1g.10gb"},
    }
}
TINY = ("-p", "algorithm=cgcnn", "-p", "level=smoke", "-p", "max-samples=60", "-p", "epochs=2")


@pytest.fixture(scope="module")
def here(host, helm, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("first-day")
    chart = ChartNamespace(host, helm, NAMESPACE, folder, RELEASE)
    with ArgoController(host) as argo, chart.set_up(keys=False) as made:
        argo.start()
        yield made


@pytest.fixture(scope="module")
def place(runs):
    """Prefix in the bucket of the runs of that day."""
    return f"{runs.prefix}-first-day"


@pytest.fixture(scope="module")
def kept(in_bucket, place):
    return in_bucket(place)


@pytest.fixture(scope="module")
def notes(here, image, place):
    """What Helm prints at the end of the installation."""
    values = [*here.values(image, f"s3://{BUCKET}/{place}"), "--set", "argo.enabled=true"]
    values += ["--set-json", f"runs.defaults={json.dumps(DEFAULTS)}", "--set", "dataCache.keep=false"]
    return here.install(*values, "--set-string", "clusterSuffix=").stdout


@pytest.fixture(scope="module")
def shell(here, runs, tmp_path_factory):
    """Run a command of the notes as printed, in a checkout, as somebody without the keys of the store."""
    programs = tmp_path_factory.mktemp("bin")
    (programs / "argo").symlink_to(builds.argo(here.cluster.folders))
    kubectl = [str(builds.kube_path(here.cluster.folders)), "kubectl"]
    for name, command in (("phase2", [sys.executable, "-m", "phase2"]), ("kubectl", kubectl)):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
        (programs / name).chmod(0o755)
    known = {name: value for name, value in os.environ.items() if not name.startswith(("PHASE2_", "AWS_"))}
    environment = known | {"KUBECONFIG": here.cluster.kubeconfig, "PATH": f"{programs}:{os.environ['PATH']}"}

    def run(command, *, stdin=""):
        words = shlex.split(command)
        done = subprocess.run(
            words, cwd=ROOT, env=environment, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    return run


def printed(notes, begin):
    """The command of the notes that begins so, with its continued lines."""
    (found,) = re.findall(rf"^[ \w:]*({begin}(?:.*\\\n)*.*)$", notes, re.MULTILINE)
    return found.replace("\\\n", " ")


def rows(shell):
    return {one["name"]: one for one in json.loads(shell(f"phase2 status --namespace {NAMESPACE} --json"))}


def workflow(here, name):
    return json.loads(here.kubectl("get", "workflow", name, "--output=json"))


def ended(here, name, seconds=900):
    """Wait until a Workflow has ended; returns it."""

    def found():
        made = workflow(here, name)
        return made if (made.get("status") or {}).get("phase") in {"Succeeded", "Failed", "Error"} else None

    return wait_until(found, f"{name} to end", seconds, here.described)


def test_the_commands_of_the_notes_work_as_printed(here, notes, shell, store, kept):
    keys = store.server.environment
    given = "".join(f"{name}={keys[name]}\n" for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    shell(printed(notes, "kubectl -n materials create secret"), stdin=given)
    assert printed(notes, "helm test") == f"helm test {RELEASE} -n {NAMESPACE}"
    assert "Phase:          Succeeded" in here.test().stdout
    submitted = printed(notes, "phase2 submit")
    assert "--image" not in submitted
    assert "submitted" in shell(submitted.replace(" --watch", ""))
    with_argo = shell(f"{printed(notes, 'argo submit')} --output=name").split()[-1]
    assert workflow(here, with_argo)["metadata"]["namespace"] == NAMESPACE
    assert ended(here, with_argo)["status"]["phase"] == "Succeeded", shell(f"argo get {with_argo} -n {NAMESPACE}")
    (job,) = [row for row in rows(shell).values() if row["kind"] == "Job"]
    here.kubectl("wait", f"job/{job['name']}", "--for=condition=Complete", "--timeout=900s")
    assert with_argo in shell(f"phase2 status --namespace {NAMESPACE}")
    both = {run.run_id: run for run in list_runs(kept, rebuild=True)}
    assert {(run.algorithm, run.mode, run.status) for run in both.values()} == {("e3nn", "lite", "finished")}
    assert both.keys() == {job["run_id"], with_argo}


def test_the_shipped_file_gives_nothing_but_the_level(here, notes, shell, image, kept):
    """Image, store, cores and memory are those of the installation."""
    name = shell(f"argo submit argo/phase2.yaml -n {NAMESPACE} {shlex.join(TINY)} --output=name").split()[-1]
    assert ended(here, name)["status"]["phase"] == "Succeeded"
    (run,) = [run for run in list_runs(kept, rebuild=True) if run.run_id == name]
    assert PublishedRun.open(kept, run.prefix).manifest.code.image_digest == image.partition("@")[2]


def test_a_level_that_needs_a_gpu_asks_for_the_one_that_the_installation_has(here, notes, shell):
    name = shell(f"argo submit argo/phase2.yaml -n {NAMESPACE} -p level=max --output=name").split()[-1]

    def asked():
        found = json.loads(
            here.kubectl("get", "pods", f"--selector=workflows.argoproj.io/workflow={name}", "-o", "json")
        )
        return [pod for pod in found["items"] if pod["metadata"]["labels"].get("phase2.dev/step") == "train"]

    (pod,) = wait_until(asked, f"{name} to train", 600, here.described)
    (main,) = [one for one in pod["spec"]["containers"] if one["name"] == "main"]
    assert main["resources"]["limits"]["nvidia.com/mig-1g.10gb"] == "1"
    wait_until(lambda: "Insufficient nvidia.com/mig-1g.10gb" in rows(shell)[name]["sentence"], f"{name} to wait", 120)
    assert rows(shell)[name]["mode"] == "max"
    shell(f"phase2 cancel {name} --yes -n {NAMESPACE}")
    ended(here, name)


def test_a_run_that_would_take_weeks_without_a_gpu_is_refused_before_anything_is_reserved(here, notes, shell):
    words = f"argo submit argo/phase2.yaml -n {NAMESPACE} -p level=pro -p max-hours=0.1 --output=name"
    made = ended(here, shell(words).split()[-1])
    assert made["status"]["phase"] == "Failed"
    assert "longer than the limit of 0.1 h" in rows(shell)[made["metadata"]["name"]]["sentence"]


def test_a_workflow_of_the_ui_a_resumed_one_and_a_copy_are_runs_like_others(here, notes, shell):
    submit = f"argo submit --from=workflowtemplate/phase2-train -n {NAMESPACE} --output=name"
    name = shell(f"{submit} {shlex.join(TINY)}").split()[-1]
    ended(here, name)
    again = shell(f"{submit} -p resume={name}").split()[-1]
    assert ended(here, again)["status"]["phase"] == "Succeeded"
    found = rows(shell)
    assert name not in found, "one row per run: its newest object"
    assert [found[again][key] for key in ("run_id", "algorithm", "mode", "state")] == [
        name, "cgcnn", "smoke", "succeeded",
    ]  # fmt: skip
    copy = shell(f"argo resubmit {name} -n {NAMESPACE} --output=name").split()[-1]
    ended(here, copy)
    assert rows(shell)[copy]["run_id"] == copy


def test_the_nightly_run_is_the_installation_s(here, notes, shell):
    name = shell(f"argo submit --from=cronwf/phase2-nightly -n {NAMESPACE} --output=name").split()[-1]
    made = ended(here, name)
    assert made["status"]["phase"] == "Succeeded"
    assert made["spec"]["activeDeadlineSeconds"] == 6 * 3600
    assert rows(shell)[name]["state"] == "succeeded"


def test_a_drain_moves_a_training_without_a_loss(here, notes, shell, kept):
    words = (
        "-p",
        "algorithm=cgcnn",
        "-p",
        "level=smoke",
        "-p",
        "max-samples=200",
        "-p",
        "batch-size=8",
        "-p",
        "epochs=120",
    )
    name = shell(f"argo submit argo/phase2.yaml -n {NAMESPACE} {shlex.join(words)} --output=name").split()[-1]

    def trains():
        pods = here.kubectl(
            "get", "pods", f"--selector=workflows.argoproj.io/workflow={name},phase2.dev/step=train", "-o", "name"
        )
        return pods and epochs_of(here.kubectl("logs", pods.split()[0], "-c", "main", check=False)) >= 2

    wait_until(trains, f"{name} to train", 600, here.described)
    node, chosen = here.cluster.node, f"--pod-selector=workflows.argoproj.io/workflow={name}"
    try:
        here.cluster.kubectl("drain", node, chosen, "--force", "--delete-emptydir-data", "--timeout=240s")
    finally:
        here.cluster.kubectl("uncordon", node)
    assert ended(here, name)["status"]["phase"] == "Succeeded"
    (run,) = [run for run in list_runs(kept, rebuild=True) if run.run_id == name]
    assert len(PublishedRun.open(kept, run.prefix).manifest.attempts) == 2


def test_an_uninstall_leaves_nothing(here, notes):
    here.kubectl("delete", "workflows,jobs", "--all")
    here("uninstall", RELEASE, "--wait", "--timeout", "5m")
    here.cluster.wait(
        lambda: here.objects() == {"Secret/phase2-s3"}, f"nothing to be left: {here.objects()}", "controller-manager"
    )
    assert here.cluster_scoped(f"-{NAMESPACE}") == set()
