"""``phase2 submit`` and the other cluster commands, as far as they need no cluster."""

import json
import re
import subprocess
import sys

import kubernetes_validate
import pytest
import yaml
from tests.cluster.conftest import measured_run
from tests.cluster.support.api_server import Answer, serving
from tests.cluster.support.image_names import BY_DIGEST, DIGEST

from phase2.cli import main
from phase2.cluster.labels import OPTIONS_ANNOTATION
from phase2.cluster.request.options import ClusterOptions

SUBMIT = ["submit", "--algorithm", "cgcnn", "--level", "smoke", "--image", BY_DIGEST]

REFUSED = [
    ([*SUBMIT, "--backend", "jobs"], "Did you mean 'job'?"),
    ([*SUBMIT, "--level", "profi"], "Did you mean 'pro'?"),
    ([*SUBMIT, "--data", "my.jsonl"], "is not visible to a pod"),
    ([*SUBMIT, "--memory", "8"], "Did you mean 8Gi?"),
    ([*SUBMIT, "--memory", "256Mi", "--dry-run"], "that this run needs"),
    ([*SUBMIT, "--cpu", "many"], "--cpu many is not a number of cores"),
    ([*SUBMIT, "--gpus", "one"], "--gpus"),
    ([*SUBMIT, "--gpus", "17"], "--gpus 17 is out of range"),
    ([*SUBMIT, "--gpus", "2", "--gpu-resource", "nvidia.com/mig-1g.10gb", "--dry-run"], "cannot train one run"),
    ([*SUBMIT, "--batch-size", "4", "--gpus", "8", "--dry-run"], "8 processes cannot share a batch of 4 crystals"),
    (["sweep", "--seed", "1,2", "--batch-size", "4", "--image", BY_DIGEST, "--gpus", "8", "--dry-run"], "cannot share"),
    ([*SUBMIT, "--deadline", "soon"], "--deadline soon is not a duration"),
    ([*SUBMIT, "--run-id", "a/b"], "is not a valid run id"),
    ([*SUBMIT, "--toleration", "a=b:Never"], "Unknown effect of a taint 'Never'"),
    ([*SUBMIT, "--store", "models"], "cannot be reached from a pod"),
    ([*SUBMIT, "--checkpoint-minutes", "0"], "--checkpoint-minutes 0.0 is not a positive number"),
    ([*SUBMIT, "--max-hours", "-1"], "--max-hours -1 is not a number of hours"),
    ([*SUBMIT, "--max-hours", "inf"], "0 for no limit"),
    ([*SUBMIT, "--accept-change", "kode"], "Did you mean 'code'?"),
    ([*SUBMIT, "--resume", "abc"], "comes with the run's own id and options"),
    ([*SUBMIT, "--namespace", "Phase2"], "--namespace 'Phase2' cannot be used"),
    (["submit", "--image", BY_DIGEST, "--output", "x"], "--output"),
    (SUBMIT, "Or train on this machine: --backend local."),
    (["sweep", "--seed", "1,2", "--image", BY_DIGEST], "Or train on this machine: --backend local."),
    (["submit", "--resume", "abc"], "Or train on this machine: --backend local."),
    (["tune", "submit", "--over", "training.lr=1e-4,1e-3", "--image", BY_DIGEST], "this machine: 'phase2 tune'"),
    (["status"], "No cluster is configured"),
    (["logs", "abc"], "No cluster is configured"),
    (["cancel", "abc"], "No cluster is configured"),
]


@pytest.mark.parametrize(("argv", "expected"), REFUSED, ids=lambda value: " ".join(value)[-40:])
def test_an_invalid_request_exits_with_2_and_an_explanation(argv, expected, no_cluster, capsys):
    assert main(argv) == 2
    printed = capsys.readouterr().err
    assert expected in printed
    assert "Traceback" not in printed


def test_a_dry_run_is_yaml_for_kubectl_with_the_plan_in_comments(no_cluster, capsys):
    assert main([*SUBMIT, "--dry-run", "--run-id", "trial", "--gpus", "1"]) == 0
    printed = capsys.readouterr().out
    job = yaml.safe_load(printed)
    kubernetes_validate.validate(job, "1.34", strict=True)
    assert job["metadata"]["name"] == "phase2-trial"
    comments = [line for line in printed.splitlines() if line.startswith("# ")]
    assert any("1 GPU" in line for line in comments)
    assert any("5 epochs of about 640 crystals" in line for line in comments)
    assert any("not known: the store has no comparable run, and no rates on a GPU" in line for line in comments)


def test_a_tag_is_noted(no_cluster, capsys):
    assert main(["submit", "--image", "phase2:1", "--dry-run"]) == 0
    assert "phase2:1 (a tag: its digest cannot be recorded)" in capsys.readouterr().out


def test_scarce_memory_is_warned_about_unless_there_is_a_gpu(no_cluster, capsys):
    tight = [*SUBMIT, "--memory", "450Mi", "--dry-run"]
    assert main(tight) == 0
    printed = capsys.readouterr()
    assert "warning: The memory limit of 450 MiB is less than" in printed.err
    assert yaml.safe_load(printed.out)["kind"] == "Job"
    assert main([*tight, "--gpus", "1"]) == 0
    assert "memory limit" not in capsys.readouterr().err


def test_each_submission_has_its_own_id(no_cluster, capsys):
    ids = set()
    for _ in range(2):
        assert main([*SUBMIT, "--dry-run", "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert shown["manifest"]["metadata"]["labels"]["phase2.dev/run-id"] == shown["run"]
        ids.add(shown["run"])
    assert len(ids) == 2


def test_the_time_is_estimated_from_comparable_runs_of_the_store(no_cluster, capsys, monkeypatch, tmp_path):
    measured_run(tmp_path, epoch_seconds=30.0, train=640)
    monkeypatch.setenv("PHASE2_STORE", str(tmp_path))
    assert main([*SUBMIT, "--epochs", "10", "--dry-run", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["steps"] == 10 * 10
    assert shown["estimated_seconds"] == pytest.approx(300.0)
    assert "by 1 comparable run on" in shown["plan"]["time"]


def test_without_a_readable_store_the_time_is_estimated_from_measured_rates(no_cluster, capsys, monkeypatch):
    monkeypatch.setenv("PHASE2_STORE", "s3://bucket")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert main([*SUBMIT, "--dry-run"]) == 0
    printed = capsys.readouterr()
    assert "estimated without the runs of the store: " in printed.err
    assert "on 2 cores without a GPU, by rates measured on" in printed.out


SLOW = ["--algorithm", "e3nn", "--level", "pro", "--image", BY_DIGEST]


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["sent", "dry run"])
@pytest.mark.parametrize(
    "command", [["submit"], ["submit", "--backend", "argo"], ["sweep", "--seed", "1,2"]], ids=" ".join
)
def test_a_run_without_a_gpu_is_refused_above_the_limit(api, capsys, command, dry_run):
    assert main([*command, *SLOW, "--max-hours", "1", *dry_run]) == 2
    refused = capsys.readouterr()
    assert "longer than the limit of 1 h" in refused.err
    assert "--gpus 1" in refused.err
    assert refused.out == ""  # nothing was submitted, not even an id
    for accepted in (["--max-hours", "1", "--gpus", "1"], ["--max-hours", "0"], ["--max-hours", "9999"], []):
        assert main([*command, *SLOW, *accepted, "--dry-run"]) == 0


def test_the_limit_is_recorded_for_when_the_run_is_resumed(no_cluster, capsys):
    assert main([*SUBMIT, "--max-hours", "9.5", "--dry-run", "--json"]) == 0
    annotations = json.loads(capsys.readouterr().out)["manifest"]["metadata"]["annotations"]
    assert ClusterOptions.from_json(annotations[OPTIONS_ANNOTATION]).max_hours == 9.5


def test_a_submission_says_how_long_it_takes_without_a_gpu(api, capsys):
    assert main([*SUBMIT, "--cpu", "4"]) == 0
    assert re.search(r"note: time: about .* on 4 cores without a GPU, by rates", capsys.readouterr().err)
    assert main(["sweep", "--level", "smoke,pro", "--algorithm", "e3nn", "--image", BY_DIGEST]) == 0
    assert re.search(r"note: time of the longest run: about .* h on 2 cores", capsys.readouterr().err)
    assert main([*SUBMIT, "--gpus", "1"]) == 0
    assert "note: time" not in capsys.readouterr().err


def test_the_image_and_the_namespace_come_from_the_environment(no_cluster, capsys, monkeypatch):
    monkeypatch.setenv("PHASE2_IMAGE", BY_DIGEST)
    monkeypatch.setenv("PHASE2_NAMESPACE", "materials")
    assert main(["submit", "--dry-run", "--json"]) == 0
    manifest = json.loads(capsys.readouterr().out)["manifest"]
    assert manifest["metadata"]["namespace"] == "materials"
    assert DIGEST in manifest["spec"]["template"]["spec"]["containers"][0]["image"]


def test_an_unreachable_cluster_is_a_transient_error(no_cluster, capsys, monkeypatch, tmp_path):
    with serving(Answer()) as api:
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path)))
    assert main([*SUBMIT, "--run-id", "trial"]) == 75
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "cannot be reached" in printed.err


WITHOUT_TORCH = f"""
import sys
for name in ("torch", "e3nn", "pymatgen", "kubernetes"):
    sys.modules[name] = None
from phase2.cli import main
arguments = {SUBMIT}
codes = [main([*arguments, "--dry-run", "--backend", backend]) for backend in ("job", "argo", "local")]
codes += [main(["sweep", "--seed", "1,2", *arguments[-2:], "--dry-run", "--backend", "argo"])]
codes += [main([command, "--help"]) for command in ("submit", "sweep", "status", "logs", "cancel")]
sys.exit(max(codes))
"""


def test_submitting_needs_no_torch(no_cluster):
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for expected in ("kind: Job", "name: phase2-train", "name: phase2-sweep", "PHASE2_RUN_ID="):
        assert expected in done.stdout


def test_without_the_extra_the_error_names_what_to_install(no_cluster, capsys, monkeypatch, tmp_path):
    with serving(Answer()) as api:
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path)))
    for name in [name for name in sys.modules if name.startswith("kubernetes.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    assert main(["status"]) == 2
    assert "pip install 'phase2[cluster]'" in capsys.readouterr().err
