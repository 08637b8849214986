"""The TrainJob of a run, and the TrainingRuntime that Kubeflow's trainer makes a JobSet of together with it."""

import copy
import os
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from tests.cluster.conftest import cluster_requests, run_ids
from tests.cluster.manifests.test_job import GOLDEN, IMAGE, PLANS, requests
from tests.cluster.support.definitions import complaints
from tests.cluster.support.pod_security import violations
from tests.cluster.support.stored_api import DEFINITIONS

from phase2.cluster.manifests.job import build_job, to_yaml
from phase2.cluster.manifests.jobset import build_jobset
from phase2.cluster.manifests.trainjob import build_runtime, build_trainjob
from phase2.cluster.plan import make_plan
from phase2.cluster.request.quantities import parse_memory
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError

RUNTIME = build_runtime()


def as_submitted(cluster: ClusterRequest) -> ClusterRequest:
    return replace(cluster, priority=None, runtime_class=None, retries=ClusterRequest(image=IMAGE).retries)


def merged(made: list[dict], added: list[dict]) -> list[dict]:
    return list({one["name"]: one for one in (*made, *added)}.values())


def pod_of(trainjob: dict) -> dict:
    """Merge a TrainJob into its runtime as Kubeflow's trainer does, and return the pod."""
    (node,) = copy.deepcopy(RUNTIME["spec"]["template"]["spec"]["replicatedJobs"])
    pod = node["template"]["spec"]["template"]["spec"]
    (container,), trainer = pod["containers"], trainjob["spec"]["trainer"]
    container |= {"image": trainer["image"], "args": trainer["args"], "resources": trainer["resourcesPerNode"]}
    container["env"] = merged(container["env"], trainer["env"])
    ((job,),) = [
        one["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"] for one in trainjob["spec"]["runtimePatches"]
    ]
    assert job["name"] == node["name"]
    patch = copy.deepcopy(job["template"]["spec"]["template"].get("spec") or {})
    for one in patch.pop("containers", []):
        container["volumeMounts"] += one["volumeMounts"]
    pod["volumes"] = merged(pod["volumes"], patch.pop("volumes", []))
    return {**pod, **patch}


def test_the_trainjob_equals_its_golden_file():
    plan = PLANS["group"]()
    made = to_yaml(build_trainjob(replace(plan, cluster=as_submitted(plan.cluster))))
    file = GOLDEN / "trainjob" / "group.yaml"
    if os.environ.get("RENEW_GOLDEN"):
        file.write_text(made, encoding="utf-8")
    assert made == file.read_text(encoding="utf-8")


@settings(max_examples=20, deadline=None)
@given(run_ids.filter(lambda run_id: len(run_id) <= 30), requests, cluster_requests.map(as_submitted))
def test_with_its_runtime_it_makes_the_pods_of_the_job(run_id, request, cluster):
    plan = make_plan(run_id, resolve(request), cluster)
    made = build_trainjob(plan)
    assert complaints(made, DEFINITIONS) == []
    pod, own = pod_of(made), build_job(plan)["spec"]["template"]["spec"]
    assert list(violations(pod)) == []
    own.pop("subdomain", None)  # Kubeflow's trainer and JobSet give the pods their names
    (container,), (of_job,) = pod.pop("containers"), own.pop("containers")
    assert {**container, "name": "train"}.keys() == of_job.keys()
    variables = {one["name"]: one for one in of_job["env"] if not one["name"].startswith("PET_")}
    assert {one["name"]: one for one in container.pop("env")} == variables
    assert all(container[key] == of_job[key] for key in container.keys() - {"name", "volumeMounts"})
    assert sorted(container["volumeMounts"], key=str) == sorted(of_job["volumeMounts"], key=str)
    assert sorted(pod.pop("volumes"), key=str) == sorted(own.pop("volumes"), key=str)
    assert pod == own


def test_the_runtime_is_one_by_its_definition_and_restarts_as_our_jobset_does():
    assert complaints(RUNTIME, DEFINITIONS) == []
    ours, theirs = build_jobset(PLANS["group"]())["spec"], RUNTIME["spec"]["template"]["spec"]
    assert complaints({"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "spec": theirs}, DEFINITIONS) == []
    assert theirs["failurePolicy"] == {**ours["failurePolicy"], "maxRestarts": 6}
    (job,), (own,) = ([one["template"]["spec"] for one in spec["replicatedJobs"]] for spec in (theirs, ours))
    for key in ("successPolicy", "completionMode", "backoffLimit", "podReplacementPolicy"):
        assert job[key] == own[key]
    assert RUNTIME["spec"]["template"]["spec"]["replicatedJobs"][0]["name"] == "node"


def test_a_misspelt_field_is_found():
    made = build_trainjob(make_plan("a", resolve(RunRequest()), ClusterRequest(image=IMAGE)))
    made["spec"]["trainer"]["numNode"] = 1
    assert any("numNode" in one for one in complaints(made, DEFINITIONS))


def test_one_pod_with_a_cache_and_shared_memory_has_its_volumes():
    cluster = ClusterRequest(image=IMAGE, cache="phase2-data-cache", shared_memory=parse_memory("1Gi"))
    pod = pod_of(build_trainjob(make_plan("a", resolve(RunRequest()), cluster)))
    assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}} in pod["volumes"]
    assert {"name": "cache", "mountPath": "/work/cache"} in pod["containers"][0]["volumeMounts"]


@pytest.mark.parametrize(
    ("run_id", "values", "says"),
    [
        ("a", {"retries": 3}, "retries cannot be set"),
        ("a", {"priority": "high", "keep_seconds": 60}, "priority, keep seconds cannot be set"),
        ("a", {"topology_spread": ({"maxSkew": 1},)}, "topology spread cannot be set"),
        ("a" * 41, {}, "too long"),
    ],
)
def test_what_the_runtime_fixes_is_refused(run_id, values, says):
    with pytest.raises(RequestError, match=says):
        build_trainjob(make_plan(run_id, resolve(RunRequest()), ClusterRequest(image=IMAGE, **values)))


def test_the_component_installs_the_runtime():
    from tools.generated import ROOT

    assert yaml.safe_load((ROOT / "k8s/components/trainjob/runtime.yaml").read_text()) == RUNTIME
