"""Evictions of nodes: what they spare and for how long; and which pods go ahead of others."""

import subprocess
import sys

import pytest

from phase2.cluster.manifests.protection import PROTECTED, PROTECTED_LABEL, readiness
from phase2.cluster.manifests.workflow import FIRST_STEP, OTHERS_STEP

from .rendering import CHART, named, of_kind

PROTECT = ("--set", "argo.enabled=true", "--set", "disruption.protectHours=12")

TRAININGS = ("train", FIRST_STEP, OTHERS_STEP)
"""Steps of a Workflow that train one run."""


def steps(things, *names):
    """The steps of these names, of all WorkflowTemplates."""
    found = [step for one in of_kind(things, "WorkflowTemplate").values() for step in one["spec"]["templates"]]
    return [step for step in found if step["name"] in names]


def test_nothing_blocks_a_drain_unless_values_say_so(helm, profile):
    things = helm.objects(profile, "--set", "argo.enabled=true")
    assert not of_kind(things, "PodDisruptionBudget")
    assert not any("podDisruptionBudget" in one["spec"] for one in of_kind(things, "WorkflowTemplate").values())
    assert not any("readinessProbe" in step["container"] for step in steps(things, "train"))


def test_the_training_step_alone_is_protected(helm):
    things = helm.objects("default", *PROTECT)
    budget = named(things, "PodDisruptionBudget")["spec"]
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert "maxUnavailable" not in budget  # Workflows cannot be scaled, which this needs
    selected = budget["selector"]["matchLabels"]
    pods = of_kind(things, "WorkflowTemplate")["phase2-train"]["spec"]["podMetadata"]["labels"]
    for step in steps(things, *TRAININGS):
        assert selected.items() <= (pods | step["metadata"]["labels"]).items()
    for template in of_kind(things, "WorkflowTemplate").values():
        for step in template["spec"]["templates"]:
            if step["name"] not in TRAININGS:
                assert step.get("metadata", {}).get("labels", {}).get("phase2.dev/protected") is None
                assert "readinessProbe" not in step.get("container", {})


def test_the_protection_ends_with_the_readiness_of_the_pod(helm):
    trainings = steps(helm.objects("default", *PROTECT), "train")
    assert len(trainings) == 3
    for step in trainings:
        probe = step["container"]["readinessProbe"]
        assert probe["exec"]["command"][:2] == ["python3", "-c"]
        assert probe["exec"]["command"][3:] == ["12"]
        assert probe["periodSeconds"] * probe["failureThreshold"] <= 900


def test_pods_of_phase2_submit_have_the_same_protection(helm):
    things = helm.objects("default", "--set", "disruption.protectHours=12")
    assert named(things, "ConfigMap", "phase2-runs")["data"]["protect-hours"] == "12"
    selected = named(things, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"]
    assert selected == {"app.kubernetes.io/name": "phase2", PROTECTED_LABEL: PROTECTED}
    workflow = named(helm.objects("default", *PROTECT), "WorkflowTemplate", "phase2-train")
    (step,) = [one for one in workflow["spec"]["templates"] if one["name"] == "train"]
    assert step["container"]["readinessProbe"] == readiness(12)


def test_a_part_of_an_hour_is_one_too(helm):
    (step, *_) = steps(helm.objects("default", *PROTECT[:3], "disruption.protectHours=0.5"), "train")
    assert step["container"]["readinessProbe"]["exec"]["command"][3:] == ["0.5"]


@pytest.mark.parametrize(("hours", "ready"), [("1000000", True), ("0", False)])
def test_a_pod_is_ready_for_as_long_as_it_is_protected(helm, hours, ready):
    """The program of the probe, on this machine, whose first process has run for some time."""
    (step, *_) = steps(helm.objects("default", *PROTECT), "train")
    program = step["container"]["readinessProbe"]["exec"]["command"][2]
    done = subprocess.run([sys.executable, "-c", program, hours], capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is ready, done.stderr
    assert ready or done.stderr.startswith("this pod has run for 0 h: an eviction may end it")


def test_short_steps_go_ahead_of_trainings(helm):
    words = ["--set", "argo.enabled=true", "--namespace", "team"]
    things = helm.objects("default", *words)
    classes = of_kind(things, "PriorityClass")
    assert {name: one["value"] for name, one in classes.items()} == {
        "phase2-training-team": 1000,
        "phase2-steps-team": 1100,
    }
    assert {one["preemptionPolicy"] for one in classes.values()} == {"Never"}
    short = steps(things, "validate", "prepare", "report", "register", "expand", "compare", "split", "finish")
    assert len(short) > 12
    assert {step["priorityClassName"] for step in short} == {"phase2-steps-team"}
    assert not any("priorityClassName" in step for step in steps(things, "train", "predict"))


def test_without_rights_on_the_cluster_no_class_is_named(helm):
    things = helm.objects("namespaced", "--set", "argo.enabled=true")
    templates = of_kind(things, "WorkflowTemplate").values()
    assert not any("priorityClassName" in step for one in templates for step in one["spec"]["templates"])


def test_the_program_of_the_probe_is_the_file_that_is_read(helm):
    (step, *_) = steps(helm.objects("default", *PROTECT), "train")
    assert step["container"]["readinessProbe"]["exec"]["command"][2] == (CHART / "files" / "protection.py").read_text()
