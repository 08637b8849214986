"""The plan of a run and its Job manifest.

The golden files are renewed with ``RENEW_GOLDEN=1 pytest tests/cluster/manifests/test_job.py``; look at the
difference before you commit it.
"""

import json
import os
import shlex
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.cluster.conftest import cluster_requests, fitting, run_ids
from tests.cluster.support.image_names import BY_DIGEST
from tests.cluster.support.pod_security import violations

from phase2.cluster.manifests.job import build_job, to_yaml
from phase2.cluster.manifests.patch import PodPatches
from phase2.cluster.plan import make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.names import Toleration
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.quantities import parse_cpu, parse_memory
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.levels import ALGORITHMS, LEVELS
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError, UnknownNameError

GOLDEN = Path(__file__).parent / "golden"
KUBERNETES = "1.34"
IMAGE = Image.parse(BY_DIGEST)

requests = st.builds(RunRequest, algorithm=st.sampled_from(ALGORITHMS), level=st.none() | st.sampled_from(LEVELS)) | (
    st.builds(
        RunRequest, algorithm=st.sampled_from(ALGORITHMS), competition=st.just(True), all_properties=st.booleans()
    )
)

PLANS = {
    "smallest": lambda: make_plan(
        "0f3a9c2e", resolve(RunRequest(algorithm="cgcnn", level="smoke")), ClusterRequest(image=IMAGE)
    ),
    "everything": lambda: make_plan(
        "Perovskites_2",
        resolve(
            RunRequest(
                competition=True,
                properties=("band_gap", "bulk_modulus"),
                epochs=300,
                seed=7,
                data="jarvis-dft3d",
            )
        ),
        ClusterRequest(
            image=IMAGE,
            namespace="materials",
            cpu=parse_cpu("8"),
            cpu_limit=parse_cpu("16"),
            memory=parse_memory("64Gi"),
            gpus=1,
            priority="phase2-training",
            runtime_class="sandbox",
            queue="gpu-queue",
            node_selector=(("nvidia.com/gpu.product", "H100"),),
            tolerations=(Toleration("nvidia.com/gpu", "present", "NoSchedule"), Toleration("spot", None, None)),
            cache="phase2-data-cache",
            store="s3://bucket/models",
            deadline_seconds=43200,
            retries=3,
            checkpoint_minutes=2.5,
        ),
        accepted=("code",),
        options=ClusterOptions(image=BY_DIGEST, gpus=1, memory="64Gi"),
    ),
    "group": lambda: make_plan(
        "together",
        resolve(RunRequest(algorithm="cgcnn", level="smoke")),
        ClusterRequest(image=IMAGE, nodes=2, gpus=4, queue="gpu-queue", retries=3),
        options=ClusterOptions(image=BY_DIGEST, nodes=2, gpus=4),
    ),
    "slice": lambda: make_plan(
        "on-a-slice",
        resolve(RunRequest(algorithm="cgcnn", level="smoke")),
        ClusterRequest(image=IMAGE, gpus=1, gpu_resource="nvidia.com/mig-1g.10gb"),
        options=ClusterOptions(image=BY_DIGEST, gpus=1, gpu_resource="nvidia.com/mig-1g.10gb"),
    ),
    "tag": lambda: make_plan(
        "tag", resolve(RunRequest(level="pro")), ClusterRequest(image=Image.parse("phase2:1"), deadline_seconds=None)
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_the_job_equals_its_golden_file(name):
    file = GOLDEN / f"{name}.yaml"
    made = to_yaml(build_job(PLANS[name]()))
    if os.environ.get("RENEW_GOLDEN"):
        file.write_text(made, encoding="utf-8")
    assert made == file.read_text(encoding="utf-8")


@given(run_ids, requests, cluster_requests)
def test_the_job_of_every_plan_is_valid_and_restricted(run_id, request, cluster):
    job = build_job(make_plan(run_id, resolve(request), fitting(cluster, run_id)))
    kubernetes_validate.validate(job, KUBERNETES, strict=True)
    pod = job["spec"]["template"]["spec"]
    assert list(violations(pod)) == []
    assert pod["automountServiceAccountToken"] is False
    assert yaml.safe_load(to_yaml(job)) == job


@given(run_ids, requests, cluster_requests)
def test_the_pod_runs_the_request_under_its_id(run_id, request, cluster):
    job = build_job(make_plan(run_id, resolve(request), fitting(cluster, run_id)))
    container = job["spec"]["template"]["spec"]["containers"][0]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    assert variables["PHASE2_RUN_ID"] == run_id == job["metadata"]["labels"]["phase2.dev/run-id"]
    assert variables.get("PHASE2_IMAGE_DIGEST") == cluster.image.digest
    again = RunRequest.from_command(shlex.split(job["metadata"]["annotations"]["phase2.dev/command"]))
    assert resolve(again) == resolve(request)
    assert ["phase2", *container["args"]] == request.command()
    limits, wanted = container["resources"]["limits"], container["resources"]["requests"]
    assert limits["memory"] == wanted["memory"]
    assert ("nvidia.com/gpu" in limits) == (cluster.gpus > 0)


def test_every_volume_is_mounted():
    pod = build_job(PLANS["everything"]())["spec"]["template"]["spec"]
    mounted = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounted["cache"] == "/work/cache"
    assert {volume["name"] for volume in pod["volumes"]} == mounted.keys()


def test_permanent_failures_end_the_job_and_disruptions_are_not_counted():
    rules = build_job(PLANS["smallest"]())["spec"]["podFailurePolicy"]["rules"]
    assert rules[0]["action"] == "FailJob"
    assert rules[0]["onExitCodes"] == {"containerName": "train", "operator": "In", "values": [2, 3, 4]}
    assert rules[1]["action"] == "Ignore"


def test_digests_differ_exactly_where_requests_or_plans_differ():
    def digest(request, **cluster):
        plan = make_plan("a", resolve(request), ClusterRequest(image=IMAGE, **cluster))
        return build_job(plan)["metadata"]["annotations"]

    one = digest(RunRequest(level="std"))
    same = digest(RunRequest(), gpus=1)
    other = digest(RunRequest(seed=1))
    assert one["phase2.dev/request-digest"] == same["phase2.dev/request-digest"]
    assert one["phase2.dev/plan-digest"] != same["phase2.dev/plan-digest"]
    assert one["phase2.dev/request-digest"] != other["phase2.dev/request-digest"]


@pytest.mark.parametrize("path", ["my.jsonl", "./folder", "/data/x.json", "~/x.json", "/work/cache/x.json"])
def test_local_data_are_refused(path):
    with pytest.raises(RequestError, match="is not visible to a pod"):
        make_plan("a", resolve(RunRequest(data=path)), ClusterRequest(image=IMAGE))


def test_data_on_the_claim_of_the_cache_are_accepted():
    cluster = ClusterRequest(image=IMAGE, cache="phase2-data-cache")
    plan = make_plan("a", resolve(RunRequest(data="/work/cache/x.json")), cluster)
    assert plan.command[-2:] == ("--data", "/work/cache/x.json")


def test_an_unknown_data_set_is_refused_with_the_nearest_one():
    with pytest.raises(UnknownNameError, match="Did you mean 'jarvis-dft3d'"):
        make_plan("a", resolve(RunRequest(data="jarvis-dft3")), ClusterRequest(image=IMAGE))


@pytest.mark.parametrize("run_id", ["", "a/b", "-a", "a" * 64, "a b"])
def test_an_invalid_run_id_is_refused(run_id):
    with pytest.raises(RequestError, match="is not a valid run id"):
        make_plan(run_id, resolve(RunRequest()), ClusterRequest(image=IMAGE))


def test_the_pods_of_a_group_meet_at_the_first_one():
    job = build_job(PLANS["group"]())
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    variables = {one["name"]: one.get("value") for one in pod["containers"][0]["env"]}
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 2, 2)
    assert variables["PET_MASTER_ADDR"] == f"{job['metadata']['name']}-0.{pod['subdomain']}"
    assert (variables["PET_NNODES"], variables["PHASE2_GPUS"]) == ("2", "4")
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "4"
    assert spec["successPolicy"] == {"rules": [{"succeededIndexes": "0"}]}
    assert spec["backoffLimit"] == 3 * 2


def test_one_node_is_a_job_of_one_pod():
    one = build_job(make_plan("a", resolve(RunRequest()), ClusterRequest(image=IMAGE, nodes=1)))
    assert one == build_job(make_plan("a", resolve(RunRequest()), ClusterRequest(image=IMAGE)))
    assert not {"completionMode", "successPolicy"} & one["spec"].keys()


def test_a_run_id_that_is_too_long_for_the_names_of_the_pods_is_refused():
    plan = make_plan("a" * 55, resolve(RunRequest()), ClusterRequest(image=IMAGE, nodes=2))
    with pytest.raises(RequestError, match="too long for a run on 2 nodes"):
        build_job(plan)


def test_a_pod_knows_how_many_gpus_it_reserves():
    cluster = ClusterRequest(image=IMAGE, gpus=2)
    (container,) = build_job(make_plan("a", resolve(RunRequest()), cluster))["spec"]["template"]["spec"]["containers"]
    assert {"name": "PHASE2_GPUS", "value": "2"} in container["env"]
    patches = PodPatches.of(cluster)
    for patch, variables in ((patches.train, container["env"]), (patches.prepare, [])):
        (patched,) = json.loads(patch)["containers"]
        assert patched.get("env", []) == [one for one in variables if one["name"] == "PHASE2_GPUS"]


@pytest.mark.parametrize(("nodes", "gpus"), [(5, 0), (1, 5), (2, 3)])
def test_more_processes_than_a_batch_has_crystals_are_refused(nodes, gpus):
    run = resolve(RunRequest(level="pro"))
    with pytest.raises(RequestError, match="cannot share a batch of 4 crystals"):
        make_plan("a", run, ClusterRequest(image=IMAGE, nodes=nodes, gpus=gpus))


def test_shared_memory_has_the_size_of_the_installation():
    cluster = ClusterRequest(image=IMAGE, memory=parse_memory("8Gi"), shared_memory=parse_memory("2Gi"))
    pod = build_job(make_plan("a", resolve(RunRequest()), cluster))["spec"]["template"]["spec"]
    assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}} in pod["volumes"]
    patch = json.loads(PodPatches.of(cluster).train)
    assert patch["volumes"] == [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}]
    with pytest.raises(RequestError, match="sharedMemory 9Gi is more than the memory of 8Gi"):
        ClusterRequest(image=IMAGE, memory=parse_memory("8Gi"), shared_memory=parse_memory("9Gi"))
