"""``--backend argo`` on a cluster that only stores: what it sends, what it says of what is missing, and logs."""

import json
import threading

import pytest
import yaml
from hera.workflows import models
from tests.cluster.support import controllers as played
from tests.cluster.support.backend_contract import REQUEST
from tests.cluster.support.image_names import BY_DIGEST
from tests.cluster.support.places import JobPlace, WorkflowPlace
from tests.cluster.support.stored_api import EVENTS, JOBS, PODS, WORKFLOWS, install_templates, kubeconfig, storing

SUBMIT = ("submit", *REQUEST, "--image", BY_DIGEST, "--backend", "argo", "--run-id", "abc")
NAME = "phase2-abc"


@pytest.fixture
def place(say, api):
    install_templates(api)
    return WorkflowPlace(say, api)


def test_a_dry_run_is_a_workflow_for_kubectl_with_the_plan_in_comments(say):
    code, out, err = say(*SUBMIT, "--dry-run", "--gpus", "1")
    assert code == 0, err
    workflow = yaml.safe_load(out)
    models.Workflow.model_validate(workflow, extra="forbid")
    assert workflow["spec"]["workflowTemplateRef"] == {"name": "phase2-train"}
    comments = [line for line in out.splitlines() if line.startswith("# ")]
    assert any("Workflow phase2-abc in the namespace" in line for line in comments)
    assert any("PersistentVolumeClaim phase2-data-cache" in line for line in comments)


def test_what_the_template_decides_is_refused(say, place, api):
    code, _, err = say(*SUBMIT, "--retries", "1", "--cpu-limit", "4")
    assert (code, "--cpu-limit, --retries cannot be combined with --backend argo" in err) == (2, True)
    code, _, err = say(*SUBMIT, "--cache", "none")
    assert (code, "--cache none cannot be combined with --backend argo" in err) == (2, True)
    assert api.all(WORKFLOWS) == []


@pytest.mark.parametrize(
    ("kinds", "hidden", "says"),
    [
        ((JOBS, PODS, EVENTS), (), "Argo Workflows is not installed in this cluster."),
        ((JOBS, PODS, EVENTS), ("workflowtemplates", "workflows"), "Argo Workflows is not installed in this cluster."),
        ((), (), "The WorkflowTemplate phase2-train is missing in the namespace materials."),
        ((), ("workflowtemplates", "workflows"), "Ask for the Role phase2-workflow-submitter of argo/cluster"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_made(kinds, hidden, says, say, monkeypatch, tmp_path):
    with storing(*kinds) as api:
        api.hidden.update(hidden)
        monkeypatch.setenv("KUBECONFIG", kubeconfig(api, tmp_path))
        code, out, err = say(*SUBMIT)
        assert (code, out) == (2, "run: abc\n")
        assert says in err
        if "You may not" not in err:
            assert "--backend job" in err
        assert api.all(WORKFLOWS) == []


def test_who_may_not_look_at_templates_may_submit_nevertheless(say, api, place):
    api.hidden.add("workflowtemplates")
    place.begin("abc")
    assert place.count("abc") == 1


@pytest.mark.parametrize("kinds", [(JOBS, PODS, EVENTS), ()])
def test_jobs_are_seen_where_workflows_are_not(kinds, say, monkeypatch, tmp_path):
    with storing(*kinds) as api:
        api.hidden.add("workflows")
        monkeypatch.setenv("KUBECONFIG", kubeconfig(api, tmp_path))
        place = JobPlace(say, api)
        place.begin("abc")
        assert place.state("abc") == "waiting"
        assert "abc" in say("status")[1]
        place.cancel("abc")
        api.hidden.add("jobs")
        code, _, err = say("status")
        assert (code, "You may not list jobs" in err) == (2, True)


# One run, one object -------------------------------------------------------------------------------------------------


def test_a_run_at_work_as_a_job_is_not_submitted_as_a_workflow(say, api, place):
    jobs = JobPlace(say, api)
    jobs.begin("abc")
    code, _, err = place.submit("abc")
    assert (code, "The run 'abc' is submitted already, as a Job." in err) == (2, True)
    assert place.count("abc") == 0
    jobs.finish("abc")
    code, out, _ = place.submit("abc")
    assert (code, "already succeeded: Job phase2-abc" in out) == (0, True)


def test_a_run_that_failed_as_a_job_goes_on_as_a_workflow(say, api, place):
    jobs = JobPlace(say, api)
    jobs.begin("abc")
    jobs.fail("abc")
    code, out, err = place.submit("abc")
    assert (code, "submitted again: Workflow phase2-abc" in out) == (0, True), err
    assert (jobs.count("abc"), place.count("abc")) == (0, 1)


def test_a_run_is_resumed_by_what_carried_it_with_the_resources_that_it_had(say, api, place):
    assert place.submit("abc", "--memory", "4Gi", "--priority", "phase2-training")[0] == 0
    place.fail("abc")
    code, out, err = say("submit", "--resume", "abc", "--memory", "16Gi")
    assert (code, "submitted again: Workflow" in out) == (0, True), err
    (made,) = api.all(WORKFLOWS)
    given = {one["name"]: one["value"] for one in made["spec"]["arguments"]["parameters"]}
    assert (given["memory"], given["priority"], given["run-name"]) == ("16Gi", "phase2-training", "abc")


def test_a_workflow_that_argo_has_not_taken_up_is_removed_when_it_is_cancelled(say, api, place):
    assert place.submit("abc")[0] == 0
    assert place.state("abc") == "queued"
    assert say("cancel", "abc", "--yes")[0] == 0
    assert place.count("abc") == 0


# Logs and watching ---------------------------------------------------------------------------------------------------


def a_pod(step, number, state):
    labels = {
        "app.kubernetes.io/name": "phase2", "app.kubernetes.io/component": "training",
        "workflows.argoproj.io/workflow": NAME,
    }  # fmt: skip
    named = {"workflows.argoproj.io/node-name": f"{NAME}[{number}].{step}(0)"}
    made = f"2026-11-24T12:0{number}:00Z"
    return {
        "metadata": {"name": f"{NAME}-{step}", "labels": labels, "annotations": named, "creationTimestamp": made},
        "spec": {"containers": [{"name": "wait"}, {"name": "main", "image": "phase2:1"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "wait"}, {"name": "main", "state": state}]},
    }


STEPS = ("train", "validate", "prepare")


def test_logs_are_those_of_the_steps_in_order(say, api, place):
    place.begin("abc")
    code, _, err = say("logs", "abc")
    assert (code, "has printed nothing yet" in err) == (2, True)
    for step, number in zip(STEPS, (2, 0, 1), strict=True):
        api.put(PODS, a_pod(step, number, {"terminated": {"exitCode": 0}}))
        api.logs[f"{NAME}-{step}"] = f"{step} 1\n{step} 2\n"
    api.put(PODS, a_pod("report", 3, {"waiting": {"reason": "ContainerCreating"}}))
    code, out, err = say("logs", "abc")
    assert code == 0, err
    assert out.splitlines() == [f"{step} {k}" for step in ("validate", "prepare", "train") for k in (1, 2)]
    assert [line for line in err.splitlines() if line.startswith("---")] == [
        f"--- {NAME}-{step}" for step in ("validate", "prepare", "train")
    ]
    assert say("logs", "abc", "--tail", "3")[1].splitlines() == ["prepare 2", "train 1", "train 2"]


def test_following_tells_what_has_ended_in_order(say, api, place):
    place.begin("abc")
    for step, number in zip(STEPS, (2, 0, 1), strict=True):
        api.put(PODS, a_pod(step, number, {"terminated": {"exitCode": 0}}))
        api.logs[f"{NAME}-{step}"] = "".join(f"2026-11-24T12:00:00Z {step} {k}\n" for k in range(300))
    place.finish("abc")
    code, out, err = say("logs", "abc", "--follow")
    assert code == 0, err
    assert out.splitlines() == [f"{step} {k}" for step in ("validate", "prepare", "train") for k in range(300)]


def test_the_log_of_a_workflow_whose_pods_are_removed_is_in_the_bucket(say, place):
    place.begin("abc")
    place.finish("abc")
    code, _, err = say("logs", "abc")
    assert (code, "in the bucket of the artifacts" in err) == (2, True)


@pytest.mark.parametrize(
    ("end", "code", "last"),
    [
        (played.workflow_succeeded(NAME), 0, "succeeded: succeeded after 8 min"),
        (
            played.workflow_failed(NAME, 4, "None."),
            4,
            "failed: failed with exit code 4 in the step train: None.",
        ),
    ],
)
def test_watching_tells_what_each_step_prints_and_ends_with_the_run(end, code, last, say, api, place):
    def play():
        """What Argo does once the Workflow is there."""
        next(api.changes(WORKFLOWS, 0, 60))
        for step, number in (("validate", 0), ("train", 1)):
            api.logs[f"{NAME}-{step}"] = f"2026-11-24T12:0{number}:00Z {step} says so\n"
            running = played.node(NAME, step, "Running", number=number)
            api.patch(WORKFLOWS, NAME, {"status": played.workflow_status("Running", running)})
            api.put(PODS, a_pod(step, number, {"terminated": {"exitCode": 0}}))
        api.patch(WORKFLOWS, NAME, {"status": end})

    player = threading.Thread(target=play)
    player.start()
    try:
        ended, out, err = say(*SUBMIT, "--watch")
    finally:
        player.join()
    assert ended == code, err
    assert sorted(line for line in out.splitlines() if "says so" in line) == ["train says so", "validate says so"]
    assert err.splitlines()[-1] == last


def test_json_of_a_submission(say, place):
    code, out, _ = say(*SUBMIT, "--json")
    assert (code, json.loads(out)) == (
        0, {"run": "abc", "kind": "Workflow", "name": NAME, "namespace": "materials", "outcome": "submitted"},
    )  # fmt: skip
