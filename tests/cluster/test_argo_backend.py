"""``--backend argo`` on a cluster without controllers: manifests, missing installations, and logs."""

import json
import threading

import pytest
import yaml
from hera.workflows import models
from tests.cluster.support import controllers as simulated
from tests.cluster.support.backend_contract import REQUEST
from tests.cluster.support.harnesses import JobHarness, WorkflowHarness
from tests.cluster.support.image_names import BY_DIGEST
from tests.cluster.support.stored_api import (
    EVENTS,
    JOBS,
    PODS,
    SERVICES,
    WORKFLOWS,
    install_templates,
    kubeconfig,
    storing,
)

SUBMIT = ("submit", *REQUEST, "--image", BY_DIGEST, "--backend", "argo", "--run-id", "abc")
NAME = "phase2-abc"


@pytest.fixture
def harness(cli, api):
    install_templates(api)
    return WorkflowHarness(cli, api)


def test_a_dry_run_is_a_workflow_for_kubectl_with_the_plan_in_comments(cli):
    code, out, err = cli(*SUBMIT, "--dry-run", "--gpus", "1")
    assert code == 0, err
    workflow = yaml.safe_load(out)
    models.Workflow.model_validate(workflow, extra="forbid")
    assert workflow["spec"]["workflowTemplateRef"] == {"name": "phase2-train"}
    comments = [line for line in out.splitlines() if line.startswith("# ")]
    assert any("Workflow phase2-abc in the namespace" in line for line in comments)
    assert any("PersistentVolumeClaim phase2-data-cache" in line for line in comments)


def test_options_that_the_template_fixes_are_refused(cli, harness, api):
    code, _, err = cli(*SUBMIT, "--retries", "1", "--cpu-limit", "4")
    assert (code, "--cpu-limit, --retries cannot be combined with --backend argo" in err) == (2, True)
    code, _, err = cli(*SUBMIT, "--cache", "none")
    assert (code, "--cache none cannot be combined with --backend argo" in err) == (2, True)
    assert api.all(WORKFLOWS) == []


def test_several_nodes_need_a_name_no_queue_and_the_service(cli, harness, api):
    words = (*SUBMIT, "--nodes", "2", "--gpus", "4")
    code, _, err = cli(*words)
    assert (code, "The Service phase2-group is missing" in err) == (2, True)
    code, _, err = cli(*words, "--queue", "research")
    assert (code, "A Workflow on 2 nodes cannot wait in the queue research" in err) == (2, True)
    assert api.all(WORKFLOWS) == []
    api.put(SERVICES, {"metadata": {"name": "phase2-group", "namespace": simulated.NAMESPACE}})
    assert cli(*words)[0] == 0
    (made,) = api.all(WORKFLOWS)
    given = {one["name"]: one["value"] for one in made["spec"]["arguments"]["parameters"]}
    assert (given["nodes"], given["gpus"]) == ("2", "4")


@pytest.mark.parametrize(
    ("kinds", "hidden", "expected"),
    [
        ((JOBS, PODS, EVENTS), (), "Argo Workflows is not installed in this cluster."),
        ((JOBS, PODS, EVENTS), ("workflowtemplates", "workflows"), "Argo Workflows is not installed in this cluster."),
        ((), (), "The WorkflowTemplate phase2-train is missing in the namespace materials."),
        ((), ("workflowtemplates", "workflows"), "Ask for the Role phase2-workflow-submitter of argo/cluster"),
    ],
)
def test_a_missing_installation_is_explained_and_nothing_is_created(
    kinds, hidden, expected, cli, monkeypatch, tmp_path
):
    with storing(*kinds) as api:
        api.hidden.update(hidden)
        monkeypatch.setenv("KUBECONFIG", kubeconfig(api, tmp_path))
        code, out, err = cli(*SUBMIT)
        assert (code, out) == (2, "run: abc\n")
        assert expected in err
        if "You may not" not in err:
            assert "--backend job" in err
        assert api.all(WORKFLOWS) == []


def test_submitting_works_without_the_right_to_read_templates(cli, api, harness):
    api.hidden.add("workflowtemplates")
    harness.begin("abc")
    assert harness.count("abc") == 1


@pytest.mark.parametrize("kinds", [(JOBS, PODS, EVENTS), ()])
def test_jobs_are_listed_where_workflows_are_not(kinds, cli, monkeypatch, tmp_path):
    with storing(*kinds) as api:
        api.hidden.add("workflows")
        monkeypatch.setenv("KUBECONFIG", kubeconfig(api, tmp_path))
        harness = JobHarness(cli, api)
        harness.begin("abc")
        assert harness.state("abc") == "waiting"
        assert "abc" in cli("status")[1]
        harness.cancel("abc")
        api.hidden |= {"jobs", "jobsets", "trainjobs"}
        code, _, err = cli("status")
        assert (code, "You may not list jobs" in err) == (2, True)


# One run, one object -------------------------------------------------------------------------------------------------


def test_a_run_that_runs_as_a_job_is_not_submitted_as_a_workflow(cli, api, harness):
    jobs = JobHarness(cli, api)
    jobs.begin("abc")
    code, _, err = harness.submit("abc")
    assert (code, "The run 'abc' is submitted already, as a Job." in err) == (2, True)
    assert harness.count("abc") == 0
    jobs.finish("abc")
    code, out, _ = harness.submit("abc")
    assert (code, "already succeeded: Job phase2-abc" in out) == (0, True)


def test_a_run_that_failed_as_a_job_resumes_as_a_workflow(cli, api, harness):
    jobs = JobHarness(cli, api)
    jobs.begin("abc")
    jobs.fail("abc")
    code, out, err = harness.submit("abc")
    assert (code, "submitted again: Workflow phase2-abc" in out) == (0, True), err
    assert (jobs.count("abc"), harness.count("abc")) == (0, 1)


def test_a_run_is_resumed_by_its_backend_with_its_resources(cli, api, harness):
    assert harness.submit("abc", "--memory", "4Gi", "--priority", "phase2-training")[0] == 0
    harness.fail("abc")
    code, out, err = cli("submit", "--resume", "abc", "--memory", "16Gi")
    assert (code, "submitted again: Workflow" in out) == (0, True), err
    (made,) = api.all(WORKFLOWS)
    parameters = {each["name"]: each["value"] for each in made["spec"]["arguments"]["parameters"]}
    assert (parameters["memory"], parameters["priority"], parameters["run-name"]) == ("16Gi", "phase2-training", "abc")


def test_a_workflow_that_has_not_started_is_deleted_when_it_is_cancelled(cli, api, harness):
    assert harness.submit("abc")[0] == 0
    assert harness.state("abc") == "queued"
    assert cli("cancel", "abc", "--yes")[0] == 0
    assert harness.count("abc") == 0


# Logs and following ---------------------------------------------------------------------------------------------------


def a_pod(step, number, state):
    labels = {
        "app.kubernetes.io/name": "phase2", "app.kubernetes.io/component": "training",
        "workflows.argoproj.io/workflow": NAME,
    }  # fmt: skip
    named = {"workflows.argoproj.io/node-name": f"{NAME}[{number}].{step}(0)"}
    made = f"2026-11-24T12:0{number}:00Z"
    return {
        "metadata": {
            "name": f"{NAME}-{step}", "namespace": simulated.NAMESPACE, "labels": labels, "annotations": named,
            "creationTimestamp": made,
        },
        "spec": {"containers": [{"name": "wait"}, {"name": "main", "image": "phase2:1"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "wait"}, {"name": "main", "state": state}]},
    }  # fmt: skip


STEPS = ("train", "validate", "prepare")


def test_logs_are_those_of_the_steps_in_order(cli, api, harness):
    harness.begin("abc")
    code, _, err = cli("logs", "abc")
    assert (code, "has printed nothing yet" in err) == (2, True)
    for step, number in zip(STEPS, (2, 0, 1), strict=True):
        api.put(PODS, a_pod(step, number, {"terminated": {"exitCode": 0}}))
        api.logs[f"{NAME}-{step}"] = f"{step} 1\n{step} 2\n"
    api.put(PODS, a_pod("report", 3, {"waiting": {"reason": "ContainerCreating"}}))
    code, out, err = cli("logs", "abc")
    assert code == 0, err
    assert out.splitlines() == [f"{step} {k}" for step in ("validate", "prepare", "train") for k in (1, 2)]
    assert [line for line in err.splitlines() if line.startswith("---")] == [
        f"--- {NAME}-{step}" for step in ("validate", "prepare", "train")
    ]
    assert cli("logs", "abc", "--tail", "3")[1].splitlines() == ["prepare 2", "train 1", "train 2"]


def test_following_prints_the_logs_of_ended_steps_in_order(cli, api, harness):
    harness.begin("abc")
    for step, number in zip(STEPS, (2, 0, 1), strict=True):
        api.put(PODS, a_pod(step, number, {"terminated": {"exitCode": 0}}))
        api.logs[f"{NAME}-{step}"] = "".join(f"2026-11-24T12:00:00Z {step} {k}\n" for k in range(300))
    harness.finish("abc")
    code, out, err = cli("logs", "abc", "--follow")
    assert code == 0, err
    assert out.splitlines() == [f"{step} {k}" for step in ("validate", "prepare", "train") for k in range(300)]


def test_the_log_of_a_workflow_whose_pods_were_deleted_is_in_the_bucket(cli, harness):
    harness.begin("abc")
    harness.finish("abc")
    code, _, err = cli("logs", "abc")
    assert (code, "in the bucket of the artifacts" in err) == (2, True)


@pytest.mark.parametrize(
    ("end", "code", "last"),
    [
        (simulated.workflow_succeeded(NAME), 0, "succeeded: succeeded after 8 min"),
        (
            simulated.workflow_failed(NAME, 4, "None."),
            4,
            "failed: failed with exit code 4 in the step train: None.",
        ),
    ],
)
def test_watching_prints_the_log_of_each_step_and_ends_with_the_run(end, code, last, cli, api, harness):
    def simulate():
        """Act as Argo once the Workflow exists."""
        next(api.changes(WORKFLOWS, 0, 60))
        for step, number in (("validate", 0), ("train", 1)):
            api.logs[f"{NAME}-{step}"] = f"2026-11-24T12:0{number}:00Z {step} ran\n"
            running = simulated.node(NAME, step, "Running", number=number)
            api.patch(WORKFLOWS, NAME, {"status": simulated.workflow_status("Running", running)})
            api.put(PODS, a_pod(step, number, {"terminated": {"exitCode": 0}}))
        api.patch(WORKFLOWS, NAME, {"status": end})

    controller = threading.Thread(target=simulate)
    controller.start()
    try:
        ended, out, err = cli(*SUBMIT, "--watch")
    finally:
        controller.join()
    assert ended == code, err
    assert sorted(line for line in out.splitlines() if line.endswith(" ran")) == ["train ran", "validate ran"]
    assert err.splitlines()[-1] == last


def test_json_of_a_submission(cli, harness):
    code, out, _ = cli(*SUBMIT, "--json")
    told = json.loads(out)
    assert told.pop("cost").keys() >= {"gpu_hours", "core_hours", "money", "currency"}
    assert (code, told) == (
        0, {"run": "abc", "kind": "Workflow", "name": NAME, "namespace": "materials", "outcome": "submitted"},
    )  # fmt: skip


def test_the_keys_of_the_json_of_a_state_are_stable(cli, harness):
    """Scripts read them: they keep their names when attributes are renamed."""
    harness.begin("abc")
    state = json.loads(cli("status", "abc", "--json")[1])
    assert set(state) == {
        "run_id", "kind", "name", "namespace", "algorithm", "mode", "state", "sentence", "step", "attempt", "pod",
        "node", "exit_code", "created", "ended", "eta_seconds", "command",
    }  # fmt: skip
    assert state["sentence"].startswith("runs, step train, attempt 1")
