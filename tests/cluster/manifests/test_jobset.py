"""The JobSet of a run on several nodes."""

import os

import kubernetes_validate
import pytest
from hypothesis import given, settings
from tests.cluster.conftest import cluster_requests, run_ids
from tests.cluster.manifests.test_job import GOLDEN, IMAGE, KUBERNETES, PLANS, requests
from tests.cluster.support.definitions import complaints
from tests.cluster.support.pod_security import violations
from tests.cluster.support.stored_api import DEFINITIONS

from phase2.cluster.manifests.job import build_job, to_yaml
from phase2.cluster.manifests.jobset import build_jobset
from phase2.cluster.plan import make_plan
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError


def test_the_jobset_equals_its_golden_file():
    file = GOLDEN / "jobset" / "group.yaml"
    made = to_yaml(build_jobset(PLANS["group"]()))
    if os.environ.get("RENEW_GOLDEN"):
        file.write_text(made, encoding="utf-8")
    assert made == file.read_text(encoding="utf-8")


@settings(max_examples=20, deadline=None)
@given(run_ids.filter(lambda run_id: len(run_id) <= 30), requests, cluster_requests.filter(lambda one: one.is_group))
def test_the_jobset_of_every_plan_is_one_by_its_definition(run_id, request, cluster):
    made = build_jobset(make_plan(run_id, resolve(request), cluster))
    assert complaints(made, DEFINITIONS) == []
    (replicated,) = made["spec"]["replicatedJobs"]
    kubernetes_validate.validate(
        {"apiVersion": "batch/v1", "kind": "Job", **replicated["template"]}, KUBERNETES, strict=True
    )
    assert list(violations(replicated["template"]["spec"]["template"]["spec"])) == []


def test_a_misspelt_field_is_found():
    made = build_jobset(PLANS["group"]())
    made["spec"]["failurePolicy"]["maxRestart"] = 1
    assert any("maxRestart" in one for one in complaints(made, DEFINITIONS))


def test_its_pods_are_those_of_the_job_at_other_names():
    made, job = build_jobset(PLANS["group"]()), build_job(PLANS["group"]())
    (replicated,) = made["spec"]["replicatedJobs"]
    pod, own = (one["template"]["spec"] for one in (replicated["template"]["spec"], job["spec"]))
    assert own.pop("subdomain") == "phase2-group"  # the controller of JobSets sets one
    (master,) = [one for one in pod["containers"][0]["env"] if one["name"] == "PET_MASTER_ADDR"]
    assert master["value"] == "phase2-together-node-0-0.phase2-together"
    master["value"] = "phase2-together-0.phase2-group"
    assert pod == own


def test_any_lost_pod_starts_all_again_and_a_final_failure_none():
    spec = build_jobset(PLANS["group"]())["spec"]
    job = spec["replicatedJobs"][0]["template"]["spec"]
    assert (job["backoffLimit"], spec["failurePolicy"]["maxRestarts"]) == (0, 3)
    (rule,) = job["podFailurePolicy"]["rules"]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [2, 3, 4])
    assert spec["failurePolicy"]["rules"][0]["action"] == "FailJobSet"
    assert spec["suspend"] is True
    assert "suspend" not in job


@pytest.mark.parametrize(("run_id", "nodes", "why"), [("a", 1, "for runs on several nodes"), ("a" * 41, 2, "too long")])
def test_what_cannot_be_a_jobset_is_refused(run_id, nodes, why):
    with pytest.raises(RequestError, match=why):
        build_jobset(make_plan(run_id, resolve(RunRequest()), ClusterRequest(image=IMAGE, nodes=nodes)))
