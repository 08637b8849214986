"""What a person may do with Argo's kinds in a namespace of runs, with Argo's own definitions and command line.

Each case of the table ``support/workflow_cases.yaml`` is asked of the API server as a person of the group
``phase2-submitters``, and stores nothing.
"""

import json

import pytest
import yaml
from hera.workflows import models
from tests.argo.manifests import ARGO, documents
from tests.on_cluster.lab.building import builds
from tests.on_cluster.lab.permissions import bind_role
from tests.on_cluster.lab.services.argo_crds import GROUP
from tests.on_cluster.lab.services.definitions import wait_until_served
from tests.on_cluster.lab.waiting import wait_until
from tests.on_cluster.support.person import Person
from tests.on_cluster.support.workflow_cases import cases

pytestmark = [pytest.mark.cluster, pytest.mark.argo]

CONTROLLER = "system:serviceaccount:argo:argo"
EXECUTOR = "system:serviceaccount:phase2:phase2-executor"
DRY = "--dry-run=server"
RUNNING = {
    "phase": "Running",
    "nodes": {"step": {"id": "step", "type": "Pod", "outputs": {"parameters": [{"name": "pod", "value": "{}"}]}}},
    "storedWorkflowTemplateSpec": {"entrypoint": "main"},
}
TOO_MUCH = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "too-much"},
    "rules": [{"apiGroups": ["argoproj.io"], "resources": ["*"], "verbs": ["*"]}],
}


@pytest.fixture(scope="module")
def argo(host):
    """Cluster with Argo's own definitions and everything of the folder argo, with the policies in force."""
    builds.argo(host.folders)  # here, where its minutes are no test's
    definitions = str(builds.argo_sources() / "manifests" / "base" / "crds" / "minimal")
    forced = ["apply", "--server-side", "--force-conflicts"]
    host.kubectl(*forced, "-k", definitions)
    wait_until_served(host, GROUP)
    host.kubectl(*forced, "-k", str(ARGO))
    in_namespace = ["--namespace", host.namespace]
    host.kubectl("apply", *in_namespace, "-f", "-", stdin=json.dumps(TOO_MUCH))
    bind_role(host, "too-much", "--role=too-much", "--group=too-much", namespace=host.namespace)
    wait_until(lambda: all_in_force(host), "the policies to be in force", 30)
    yield host
    host.kubectl("delete", "role,rolebinding", "too-much", *in_namespace)
    host.kubectl("delete", "--ignore-not-found", "-k", str(ARGO))
    host.kubectl("delete", "--ignore-not-found", "-k", definitions)


def all_in_force(cluster):
    """Whether every policy answers, which only its decisions show."""
    bo = Person(cluster, "bo", "too-much")
    wrong = {"arguments": {"parameters": [{"name": "epocs", "value": "3"}]}}
    thin = [documents(path)[0] for path in ARGO.glob("phase2*.yaml")]
    asked = [{**one, "spec": one["spec"] | wrong} for one in thin]
    asked += [case.body for name in ("scheduled", "internal") for case in cases(name) if case.says]
    return all(bo.create(body, DRY) for body in asked)


@pytest.fixture(scope="module")
def ada(argo):
    """Somebody who may submit."""
    return Person(argo, "ada", "phase2-submitters")


@pytest.fixture(scope="module")
def bo(argo):
    """Somebody who may submit, and was given a role for all kinds of Argo besides."""
    return Person(argo, "bo", "phase2-submitters", "too-much")


@pytest.fixture(scope="module")
def running(argo):
    """A Workflow that the controller has begun."""
    body = documents(ARGO / "phase2.yaml")[0] | {"metadata": {"name": "begun", "labels": {"phase2.dev/run-id": "mine"}}}
    assert Person(argo, "ada", "phase2-submitters").create(body) == ""
    controller = Person(argo, CONTROLLER, "system:masters")
    assert controller.patch("workflow", "begun", {"status": RUNNING}) == ""
    yield "begun"
    argo.kubectl("delete", "workflow", "begun", "--namespace", argo.namespace)


def check(case, response):
    if case.says:
        assert any(words in response for words in case.says), response or "accepted"
    else:
        assert response == ""


@pytest.mark.parametrize("case", cases("created"), ids=lambda case: case.name)
def test_a_workflow_is_exactly_one_of_ours(ada, case):
    check(case, ada.create(case.body, DRY))


MAY_BE_SET = {
    "workflowTemplateRef", "arguments", "entrypoint", "suspend", "shutdown", "activeDeadlineSeconds", "ttlStrategy",
}  # fmt: skip
FIELDS = {field.alias or name for name, field in models.WorkflowSpec.model_fields.items()} - MAY_BE_SET


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_every_other_field_of_argo_is_refused(ada, field):
    good = documents(ARGO / "phase2.yaml")[0]
    assert f"leave out {field}" in ada.create(good | {"spec": good["spec"] | {field: {}}}, DRY)


@pytest.mark.parametrize("case", cases("updated"), ids=lambda case: case.name)
def test_a_workflow_that_runs_is_stopped_or_suspended_and_nothing_else(ada, running, case):
    check(case, ada.patch("workflow", running, case.body, DRY))


@pytest.mark.parametrize("case", cases("scheduled"), ids=lambda case: case.name)
def test_what_starts_by_the_clock_is_exactly_one_of_ours(bo, case):
    body = case.body | {"metadata": case.body["metadata"] | {"name": "another"}}
    check(case, bo.create(body, DRY))


@pytest.mark.parametrize("case", cases("scheduled"), ids=lambda case: case.name)
def test_people_who_submit_schedule_nothing(ada, case):
    assert 'cannot create resource "cronworkflows"' in ada.create(case.body, DRY)


@pytest.mark.parametrize("case", cases("internal"), ids=lambda case: case.name)
def test_kinds_that_become_pods_are_not_written_by_people(argo, ada, bo, case):
    check(case, bo.create(case.body, DRY))
    assert "cannot create resource" in ada.create(case.body, DRY)
    administrator = Person(argo, "eve", "system:masters")
    assert administrator.create(case.body, DRY) == ""


def test_templates_are_neither_changed_nor_deleted_by_people(bo):
    for response in (
        bo.patch("workflowtemplate", "phase2-train", {"spec": {"serviceAccountName": "phase2-executor"}}, DRY),
        bo.delete("workflowtemplate", "phase2-train", DRY),
    ):
        assert "workflowtemplates are written by the administrator and by Argo" in response


def test_the_executor_reports_the_outputs_of_its_step(argo):
    (result,) = (case for case in cases("internal") if case.body["kind"] == "WorkflowTaskResult")
    assert Person(argo, EXECUTOR).create(result.body, DRY) == ""
    assert "cannot create resource" in Person(argo, "system:serviceaccount:phase2:phase2-runner").create(
        result.body, DRY
    )


def test_the_controller_writes_what_it_must(argo, running):
    controller = Person(argo, CONTROLLER, "system:masters")
    for body in (
        {"status": {"phase": "Failed"}},
        {"metadata": {"labels": {"workflows.argoproj.io/completed": "true"}}},
        {"metadata": {"finalizers": ["workflows.argoproj.io/artifact-gc"]}},
        {"spec": {"podGC": {"strategy": "OnPodCompletion"}}},
    ):
        assert controller.patch("workflow", running, body, DRY) == ""


def test_the_exempt_group_is_not_asked_and_other_administrators_are(argo):
    (own,) = (case for case in cases("created") if case.name == "a template of its own")
    assert Person(argo, "max", "system:masters", "phase2-administrators").create(own.body, DRY) == ""
    check(own, Person(argo, "eve", "system:masters").create(own.body, DRY))


def test_a_workflow_of_an_administrator_can_be_stopped(argo, ada):
    (own,) = (case for case in cases("created") if case.name == "a template of its own")
    metadata = {"name": "own", "annotations": {"x": "{{workflow.name}}"}}
    assert (
        Person(argo, "max", "system:masters", "phase2-administrators").create(own.body | {"metadata": metadata}) == ""
    )
    try:
        assert ada.patch("workflow", "own", {"spec": {"shutdown": "Stop"}}, DRY) == ""
    finally:
        argo.kubectl("delete", "workflow", "own", "--namespace", argo.namespace)


def test_a_large_status_can_be_looked_at(argo, ada, running):
    """A status may have a megabyte; looking at it costs less than what the API server allows an expression."""
    nodes = {f"step-{n}": {"id": f"step-{n}", "message": "m" * 200, "children": ["a", "b"]} for n in range(3000)}
    controller = Person(argo, CONTROLLER, "system:masters")
    file = argo.folders.state / "large-status.yaml"
    file.write_text(yaml.safe_dump({"status": {"nodes": nodes}}))
    words = ["patch", "workflow", running, "--type=merge", f"--patch-file={file}", "--namespace", argo.namespace]
    argo.kubectl(*words, f"--as={CONTROLLER}", "--as-group=system:masters")
    assert ada.patch("workflow", running, {"spec": {"shutdown": "Stop"}}, DRY) == ""
    wrong = {"status": {"nodes": {"step-7": {"message": "other"}}}}
    assert ": nodes." in ada.patch("workflow", running, wrong, DRY)
    assert controller.patch("workflow", running, {"status": {"nodes": dict.fromkeys(nodes)}}) == ""


# Argo's command line --------------------------------------------------------------------------------------------------

SUBMITTED = [
    ("argo/phase2.yaml", "-p", "level=smoke"),
    ("argo/phase2.yaml", "-p", "algorithm=cgcnn", "-p", "competition=true", "--labels", "team=alloys"),
    ("argo/phase2-sweep.yaml", "-p", "level=lite,std", "-p", "seed=1,2"),
    ("argo/phase2-tune.yaml", "-p", "over=training.lr=1e-4..1e-2:log", "-p", "workers=2"),
    ("argo/phase2-predict.yaml", "-p", "structures=s3://phase2/structures"),
    ("argo/phase2-ensemble.yaml", "-p", "structures=s3://phase2/structures"),
    ("--from=workflowtemplate/phase2-train", "-p", "level=smoke"),
    ("--from=workflowtemplate/phase2-sweep", "-p", "level=lite,std"),
    ("--from=cronworkflow/phase2-nightly",),
]


@pytest.fixture
def submitted(argo, ada):
    """Submit by Argo's command line; returns the name of the Workflow."""
    made = []

    def submit(*words):
        went_well, output = ada.argo(
            "submit", *(str(ARGO.parent / w) if w.startswith("argo/") else w for w in words), "--output=name"
        )
        assert went_well, output
        made.append(output.split()[-1])
        return made[-1]

    yield submit
    if made:
        argo.kubectl("delete", "workflows", *made, "--namespace", argo.namespace)


@pytest.mark.parametrize("words", SUBMITTED, ids=" ".join)
def test_argo_submits_as_the_documentation_says(submitted, words):
    """The command line copies the steps of the template into the status, which the policy compares with ours."""
    assert submitted(*words)


@pytest.mark.parametrize("action", ["stop", "terminate", "suspend"])
def test_argo_stops_and_suspends(ada, submitted, action):
    went_well, output = ada.argo(action, submitted(*SUBMITTED[0]))
    assert went_well, output


def test_argo_resumes_what_was_suspended(ada, submitted):
    name = submitted(*SUBMITTED[0])
    for action in ("suspend", "resume"):
        went_well, output = ada.argo(action, name)
        assert went_well, output


def test_argo_resubmits_and_does_not_retry(argo, ada, submitted):
    name = submitted(*SUBMITTED[0])
    failed = {"phase": "Failed", "nodes": {name: {"id": name, "name": name, "type": "Steps", "phase": "Failed"}}}
    assert Person(argo, CONTROLLER, "system:masters").patch("workflow", name, {"status": failed}) == ""
    went_well, output = ada.argo("resubmit", name, "-p", "epochs=3", "--output=name")
    assert went_well, output
    argo.kubectl("delete", "workflow", output.split()[-1], "--namespace", argo.namespace)
    went_well, output = ada.argo("retry", name)
    assert not went_well
    assert "argo retry needs an administrator" in output
    went_well, output = Person(argo, "max", "system:masters", "phase2-administrators").argo("retry", name)
    assert went_well, output


def test_argo_does_not_remove_runs_for_people(ada):
    went_well, output = ada.argo("submit", "--from=workflowtemplate/phase2-prune")
    assert not went_well
    assert "names one of its templates" in output
