"""Which run a Workflow executes, whoever created it: the UI, ``argo submit``, cron, ``argo resubmit`` or phase2."""

import pytest
from tests.argo.manifests import TEMPLATES as INSTALLED

from phase2.cluster.backends.workflow import ArgoBackend
from phase2.cluster.manifests.workflow import TEMPLATES
from phase2.cluster.status.identity import RunIdentity, shared_identities, workflow_identity

COMMAND = "phase2 train --algorithm cgcnn --level lite"
OURS = {"app.kubernetes.io/name": "phase2", "app.kubernetes.io/component": "training"}
ABC = {"phase2.dev/run-id": "abc", "phase2.dev/algorithm": "cgcnn", "phase2.dev/mode": "lite"}
COPY = {"workflows.argoproj.io/resubmitted-from-workflow": "phase2-abc"}
DEFAULTS = {"arguments": {"parameters": [{"name": "algorithm", "value": "e3nn"}, {"name": "level", "value": ""}]}}


def a_workflow(name="phase2-x7k2p", *, labels=None, outputs=None, command=None, template="phase2-train", **more):
    status = {"phase": "Running", "storedWorkflowTemplateSpec": DEFAULTS}
    if outputs is not None:
        status["outputs"] = {"parameters": [{"name": key, "value": value} for key, value in outputs.items()]}
    parameters = [{"name": key.replace("_", "-"), "value": value} for key, value in more.pop("parameters", {}).items()]
    return {
        "metadata": {
            "name": name,
            "labels": labels or {},
            "annotations": {} if command is None else {"phase2.dev/command": command},
        },
        "spec": {"workflowTemplateRef": {"name": template}, "arguments": {"parameters": parameters}},
        "status": status,
        **more,
    }


RUNS = {
    "of the UI": (a_workflow(), ("phase2-x7k2p", "e3nn", "std")),
    "of the UI, with a level": (a_workflow(parameters={"level": "pro"}), ("phase2-x7k2p", "e3nn", "pro")),
    "not started": (a_workflow(status={}), ("phase2-x7k2p", None, "std")),
    "labelled by its template": (a_workflow(labels=ABC), ("abc", "cgcnn", "lite")),
    "of phase2": (a_workflow(labels=ABC, parameters={"run_name": "abc"}), ("abc", "cgcnn", "lite")),
    "a competition": (a_workflow(parameters={"competition": "true"}), ("phase2-x7k2p", "e3nn", "competition")),
    "a sweep": (
        a_workflow(template="phase2-sweep", parameters={"level": "lite,std"}), ("phase2-x7k2p", "e3nn", "sweep"),
    ),
    "of cron": (
        a_workflow("phase2-clean-1", template="phase2-prune", status={"phase": "Running"}),
        ("phase2-clean-1", None, "prune"),
    ),
    "resubmitted, not started": (
        a_workflow(labels=ABC | COPY, status={}, parameters={"algorithm": "e3nn", "level": "pro"}),
        ("phase2-x7k2p", "e3nn", "pro"),
    ),
    "resubmitted, with its run's id": (
        a_workflow(labels=ABC | COPY, status={}, parameters={"run_name": "abc", "algorithm": "cgcnn", "level": "lite"}),
        ("abc", "cgcnn", "lite"),
    ),
    "resubmitted, labelled again": (
        a_workflow(labels=ABC | COPY | {"phase2.dev/run-id": "phase2-x7k2p"}), ("phase2-x7k2p", "cgcnn", "lite"),
    ),
    "resubmitted with another level": (
        a_workflow(labels=ABC | COPY, parameters={"run_name": "abc", "level": "max"}), ("abc", "cgcnn", "max"),
    ),
    "resumes, before validate": (
        a_workflow(labels=ABC | {"phase2.dev/run-id": "phase2-x7k2p"}, parameters={"resume": "4f1c2a"}),
        ("4f1c2a", None, None),
    ),
    "resumes, after validate": (
        a_workflow(
            parameters={"resume": "4f1c", "algorithm": "e3nn"},
            outputs={"run-id": "4f1c2a", "algorithm": "cgcnn", "mode": "competition"},
        ),
        ("4f1c2a", "cgcnn", "competition"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RUNS)
def test_a_workflow_says_which_run_it_executes(case):
    workflow, expected = RUNS[case]
    found = workflow_identity(workflow)
    assert (found.run_id, found.algorithm, found.mode) == expected


def test_a_copy_does_not_record_the_command_of_its_original():
    assert workflow_identity(a_workflow(labels=ABC, command=COMMAND)).command == COMMAND
    assert workflow_identity(a_workflow(labels=ABC | COPY, command=COMMAND)).command == ""


def test_a_resumed_run_has_what_another_object_of_it_records():
    original = RunIdentity("4f1c2a", "cgcnn", "lite", COMMAND)
    other = RunIdentity("4f9", "e3nn", "pro", "phase2 train")
    for given in ("4f1c2a", "4f1c", "multitask_cgcnn/run_20261124T120000_4f1c2a"):
        resumed = workflow_identity(a_workflow(parameters={"resume": given}))
        assert shared_identities([resumed, other, original])[0].run_id == "4f1c2a"
        found = shared_identities([resumed, other, original])[0]
        assert (found.algorithm, found.mode, found.command) == ("cgcnn", "lite", COMMAND)
    ambiguous = workflow_identity(a_workflow(parameters={"resume": "4f"}))
    assert shared_identities([ambiguous, other, original])[0] == ambiguous


def test_workflows_of_every_installed_template_are_ours_also_without_labels():
    assert set(INSTALLED) == TEMPLATES
    backend = ArgoBackend()
    for template in INSTALLED:
        assert backend.owns(a_workflow(template=template))
    assert not backend.owns(a_workflow(template="hello-world", labels={"app.kubernetes.io/name": "phase2"}))
    assert backend.owns(a_workflow(template="hello-world", labels=OURS))
    own_steps = a_workflow()
    own_steps["spec"].pop("workflowTemplateRef")
    assert not backend.owns(own_steps)
