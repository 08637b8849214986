"""A Job that an installation protects from evictions: for how long, and by what."""

import subprocess
import sys

import pytest

from phase2.cluster.manifests.job import build_job
from phase2.cluster.manifests.protection import PROGRAM
from phase2.cluster.plan import make_plan
from phase2.cluster.request.installation import Installation
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError


def pod_of(data):
    """The pod template of a run that asks for nothing in an installation."""
    options = Installation.parse({"image": "phase2:1"} | data).options("cgcnn", "smoke")
    resolved = resolve(RunRequest(algorithm="cgcnn", level="smoke"))
    return build_job(make_plan("run-1", resolved, options.request("team"), options=options))["spec"]["template"]


@pytest.mark.parametrize("data", [{}, {"protect-hours": ""}, {"protect-hours": "0"}])
def test_nothing_is_protected_unless_the_installation_says_so(data):
    pod = pod_of(data)
    assert "phase2.dev/protected" not in pod["metadata"]["labels"]
    assert "readinessProbe" not in pod["spec"]["containers"][0]


def test_a_protected_pod_is_selected_and_ready_for_its_hours():
    pod = pod_of({"protect-hours": "1.5"})
    assert pod["metadata"]["labels"]["phase2.dev/protected"] == "true"
    probe = pod["spec"]["containers"][0]["readinessProbe"]
    assert probe["exec"]["command"] == ["python3", "-c", PROGRAM, "1.5"]
    assert probe["periodSeconds"] * probe["failureThreshold"] <= 900


@pytest.mark.parametrize(("hours", "ready"), [("1000000", True), ("0", False)])
def test_the_program_asks_for_the_age_of_the_first_process(hours, ready):
    words = [sys.executable, "-c", PROGRAM, hours]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is ready, done.stderr
    assert ready or "this pod has run for 0 h" in done.stderr


def test_hours_that_are_no_number_are_refused():
    with pytest.raises(RequestError, match="protect-hours of the ConfigMap phase2-runs is 'long'"):
        Installation.parse({"protect-hours": "long"})
