"""``phase2 tune submit``: a Job for each worker of a study, or one Workflow; all of one study."""

import json
import shlex

import kubernetes_validate
import pytest
import yaml
from hera.workflows import models
from tests.argo.manifests import TEMPLATES, parameters_of
from tests.argo.rendering import render_pod
from tests.argo.test_shapes import matches, shapes_of
from tests.cluster.support.harnesses import JobHarness
from tests.cluster.support.image_names import BY_DIGEST
from tests.cluster.support.stored_api import JOBS, WORKFLOWS, install_templates

WORDS = (
    "--algorithm",
    "cgcnn",
    "--level",
    "smoke",
    "--over",
    "training.lr=1e-4..1e-2:log",
    "--over",
    "model.width=8,16",
)
STUDY = ("tune", "submit", *WORDS, "--trials", "8", "--workers", "2", "--name", "size", "--image", BY_DIGEST)
IDS = ["size-8-worker-0", "size-8-worker-1"]


def jobs_of(cli, *words):
    code, out, err = cli(*STUDY, *words, "--dry-run")
    assert code == 0, err
    return list(yaml.safe_load_all(out))


def container(job):
    (found,) = job["spec"]["template"]["spec"]["containers"]
    return found


def test_each_worker_is_a_job_with_the_command_of_the_study(cli, api):
    jobs = jobs_of(cli, "--store", "s3://bucket/runs", "--timeout-hours", "8", "--minimise", "band_gap")
    assert [job["metadata"]["labels"]["phase2.dev/run-id"] for job in jobs] == IDS
    for job in jobs:
        kubernetes_validate.validate(job, "1.34", strict=True)
        words = shlex.join(container(job)["args"])
        assert words == (
            "tune --algorithm cgcnn --level smoke --over training.lr=0.0001..0.01:log --over model.width=8,16 "
            "--minimise band_gap --pruner median --timeout-hours 8 --trials 8 --name size "
            "--worker --best /tmp/best.yaml"
        )
        environment = {one["name"]: one.get("value") for one in container(job)["env"]}
        assert "PHASE2_RUN_ID" not in environment  # each trial has an id of its own
        assert environment["PHASE2_STORE"] == "s3://bucket/runs"
    assert {method for method, _ in api.requests} == {"GET"}


def test_a_worker_gets_what_a_run_of_its_level_gets(cli, api):
    given = ("--cpu", "3", "--memory", "9Gi", "--gpus", "1", "--cache", "data", "--image", BY_DIGEST)
    (job, _) = jobs_of(cli, *given)
    code, out, err = cli("submit", *WORDS[:4], "--run-id", "size-0", *given, "--dry-run")
    assert code == 0, err
    run = yaml.safe_load(out)
    one, other = (each["spec"]["template"]["spec"] for each in (job, run))
    for name in ("resources", "volumeMounts", "securityContext", "envFrom", "image", "ports"):
        assert container(job)[name] == container(run)[name]
    assert {k: v for k, v in one.items() if k != "containers"} == {k: v for k, v in other.items() if k != "containers"}
    labels = job["metadata"]["labels"]
    assert {k: v for k, v in labels.items() if not k.endswith("run-id")} == {
        k: v for k, v in run["metadata"]["labels"].items() if not k.endswith("run-id")
    }


def test_workers_are_submitted_once_and_their_command_submits_them_again(cli, api):
    harness = JobHarness(cli, api)
    code, out, err = cli(*STUDY)
    assert (code, out.startswith("study: size, 8 trials, 2 workers\n")) == (0, True), err
    assert [one["metadata"]["name"] for one in api.all(JOBS)] == [f"phase2-{one}" for one in IDS]
    harness.fail(IDS[1])
    (made, _) = api.all(JOBS)
    command = shlex.split(made["metadata"]["annotations"]["phase2.dev/command"])
    code, out, err = cli(*command[1:], "--image", BY_DIGEST, "--json")
    assert code == 0, err
    found = {one["run"]: one["outcome"] for one in json.loads(out)["submitted"]}
    assert found == {IDS[0]: "already submitted", IDS[1]: "submitted again"}
    code, out, err = cli(*STUDY, "--trials", "12")  # more trials are further workers
    assert (code, out.count("submitted: Job phase2-size-12-worker-")) == (0, 2), err
    code, _, err = cli(*STUDY, "--pruner", "none")
    assert (code, "The run id 'size-8-worker-0' belongs to another request" in err) == (2, True)


def test_a_worker_that_failed_is_continued_by_submitting_the_study_again(cli, api):
    harness = JobHarness(cli, api)
    assert cli(*STUDY)[0] == 0
    harness.fail(IDS[0])
    code, _, err = cli("submit", "--resume", IDS[0])
    assert (code, "is a worker of a study" in err, "phase2 tune submit --algorithm cgcnn" in err) == (2, True, True), (
        err
    )
    state = json.loads(cli("status", IDS[0], "--json")[1])
    assert (state["run_id"], state["mode"], state["state"]) == (IDS[0], "smoke", "failed")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--workers", "9"], "--workers 9 are more than the 8 trials"),
        (["--workers", "99", "--trials", "99"], "--workers 99 are too many"),
        (["--store", "models"], "--store models is not shared by pods"),
        (["--lr", "1e-3"], "--lr and --over training.lr give one setting"),
        (["--over", "training.lrr=1..2"], "Did you mean 'training.lr'?"),
        (["--data", "nowhere"], "Unknown data set 'nowhere'"),
        (["--data", "/home/me/data.json"], "is not visible to a pod"),
        (["--checkpoint-minutes", "3"], "--checkpoint-minutes cannot be combined with a study"),
        (["--name", "a" * 54], "is not a valid run id"),
        (["--pruner", "medain"], "Did you mean 'median'?"),
        (["--backend", "local"], "'phase2 tune' itself is a worker of this machine"),
        (["--backend", "argo", "--name", "Size"], "--name 'Size-8' cannot be used"),
        (["--backend", "argo", "--retries", "3"], "--retries cannot be combined with --backend argo"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_submitted(words, says, cli, api):
    code, _, err = cli(*STUDY, *words)
    assert (code, says in err) == (2, True), err
    assert (api.all(JOBS), api.all(WORKFLOWS)) == ([], [])


# One Workflow --------------------------------------------------------------------------------------------------------


def test_a_study_is_one_workflow_that_is_submitted_once(cli, api):
    install_templates(api)
    code, out, err = cli(*STUDY, "--backend", "argo")
    assert (code, "submitted: Workflow size-8" in out) == (0, True), err
    (made,) = api.all(WORKFLOWS)
    assert made["spec"]["workflowTemplateRef"] == {"name": "phase2-tune"}
    command = shlex.split(made["metadata"]["annotations"]["phase2.dev/command"])
    code, out, err = cli(*command[1:], "--image", BY_DIGEST, "--backend", "argo")
    assert (code, "already submitted" in out) == (0, True), err
    state = json.loads(cli("status", "size-8", "--json")[1])
    assert (state["run_id"], state["mode"], state["algorithm"]) == ("size-8", "tune", "cgcnn")
    code, _, err = cli(*STUDY, "--backend", "argo", "--pruner", "none")
    assert (code, "belongs to another request" in err) == (2, True), err


def test_its_parameters_are_those_of_the_template_and_pass_its_policy(cli, api):
    given = ("--store", "s3://bucket/runs", "--timeout-hours", "8", "--gpus", "1", "--set", "training.warmup=0.1")
    (workflow,) = jobs_of(cli, "--backend", "argo", "--over", "data.graph.cutoff=4..6:step=0.5", *given)
    models.Workflow.model_validate(workflow, extra="forbid")
    parameters = parameters_of(workflow)
    assert parameters["over"] == ("training.lr=0.0001..0.01:log;model.width=8,16;data.graph.cutoff=4.0..6.0:step=0.5")
    assert (parameters["trials"], parameters["workers"], parameters["study"]) == ("8", "2", "size")
    assert parameters.keys() <= parameters_of(TEMPLATES["phase2-tune"]).keys()
    shapes = shapes_of("phase2-tune")
    assert [name for name, value in parameters.items() if name in shapes and not matches(shapes[name], value)] == []


def test_its_first_step_and_its_workers_read_the_same_study(cli, api, tmp_path, monkeypatch):
    (workflow,) = jobs_of(cli, "--backend", "argo", "--minimise", "band_gap")
    parameters = parameters_of(workflow)
    code, out, err = cli("tune", *WORDS, "--minimise", "band_gap", "--trials", "8", "--name", "size", "--dry-run")
    assert code == 0, err
    expected = out
    for step in ("define", "work"):
        inputs = {"pod": "{}", "retry-pod": "{}", "queue": ""} if step == "work" else None
        pod = render_pod(TEMPLATES["phase2-tune"], step, parameters, inputs)
        (main_container,) = (one for one in pod["spec"]["containers"] if one["name"] == "main")
        with monkeypatch.context() as patch:
            for variable in main_container["env"]:
                if "value" in variable and variable["name"] not in ("HOME", "PHASE2_TERMINATION_LOG"):
                    patch.setenv(variable["name"], variable["value"])
            patch.setenv("PHASE2_STORE", str(tmp_path / "store"))
            words = [word for word in main_container["args"] if word != "--dry-run"]
            code, out, err = cli(*words, "--dry-run")
        assert (code, out) == (0, expected), err
