"""TrainJob manifest of a plan (trainer.kubeflow.org/v1alpha1), and the TrainingRuntime that it refers to. Pure.

Kubeflow's trainer makes a JobSet of both: the runtime, which an administrator installs, has what is the same for all
runs, and the TrainJob what is a run's own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from phase2.cluster.manifests.job import build_job
from phase2.cluster.manifests.jobset import NODES, build_jobset, refuse_long_names
from phase2.cluster.manifests.pod import placement
from phase2.cluster.manifests.run_object import run_object
from phase2.cluster.plan import Plan, make_plan
from phase2.cluster.request.image import Image
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.resources import ClusterRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.errors import RequestError

API_VERSION = "trainer.kubeflow.org/v1alpha1"
RUNTIME = "phase2"
"""Name of the TrainingRuntime that an administrator installs in the namespace of the runs."""
CONTAINER = "node"
"""Container that Kubeflow's trainer gives the variables of torchrun."""
MANAGER = "phase2.dev/submit"
"""Owner of the patches of the runtime, among others' (Kueue has one)."""

_FIXED_BY_RUNTIME = (
    "pull_policy", "priority", "runtime_class", "topology_spread", "store_secret", "retries", "protect_hours",
)  # fmt: skip
"""Options of the cluster that a TrainJob has no field for: the administrator writes them into the runtime."""
_OF_TRAINER = "PET_"
_OF_A_RUN = ("PHASE2_RUN_ID", "OMP_NUM_THREADS")


def without_fixed(options: ClusterOptions) -> ClusterOptions:
    """Return what an installation gives to runs, without what the runtime has for all of them."""
    return replace(options, **dict.fromkeys(_FIXED_BY_RUNTIME))


def build_trainjob(plan: Plan) -> dict[str, Any]:
    """Build the TrainJob of a plan.

    Raises:
        RequestError: The plan sets what the runtime fixes, or has an id that is too long for the names of its pods.
    """
    _refuse_fixed(plan.cluster)
    refuse_long_names(plan)
    cluster, template, of_runtime = plan.cluster, build_job(plan)["spec"]["template"], _pod_of_runtime()
    (container,) = template["spec"]["containers"]
    spec: dict[str, Any] = {
        "runtimeRef": {"apiGroup": API_VERSION.partition("/")[0], "kind": "TrainingRuntime", "name": RUNTIME},
        "trainer": {
            "image": container["image"],
            "args": container["args"],
            "env": _own_variables(container, of_runtime),
            "numNodes": cluster.nodes,
            "numProcPerNode": max(1, cluster.gpus),
            "resourcesPerNode": container["resources"],
        },
        "runtimePatches": [
            {"manager": MANAGER, "trainingRuntimeSpec": {"template": {"spec": _patch(plan, template, of_runtime)}}}
        ],
    }
    if cluster.deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = cluster.deadline_seconds
    return run_object(plan, API_VERSION, "TrainJob", spec)


def build_runtime() -> dict[str, Any]:
    """Build the TrainingRuntime: the JobSet of any run, without what is the run's own."""
    jobset = build_jobset(_any_plan(nodes=2))["spec"]
    (replicated,) = jobset["replicatedJobs"]
    job = replicated["template"]["spec"]
    pod = job["template"]["spec"]
    (container,) = build_job(_any_plan(nodes=1))["spec"]["template"]["spec"]["containers"]
    node = {
        **{key: value for key, value in container.items() if key not in {"args", "resources"}},
        "name": CONTAINER,
        "image": RUNTIME,  # a TrainJob names its own
        "env": [one for one in container["env"] if one["name"] not in _OF_A_RUN],
    }
    (final,) = job["podFailurePolicy"]["rules"]
    failures = [{**final, "onExitCodes": {**final["onExitCodes"], "containerName": CONTAINER}}]
    counted = ("completions", "parallelism", "activeDeadlineSeconds")
    return {
        "apiVersion": API_VERSION,
        "kind": "TrainingRuntime",
        "metadata": {"name": RUNTIME},
        "spec": {
            "mlPolicy": {"numNodes": 1, "torch": {}},
            "template": {
                "spec": {
                    "network": jobset["network"],
                    "failurePolicy": jobset["failurePolicy"],
                    "replicatedJobs": [
                        {
                            "name": NODES,
                            "replicas": 1,
                            "template": {
                                "metadata": {"labels": {"trainer.kubeflow.org/trainjob-ancestor-step": "trainer"}},
                                "spec": {
                                    **{key: value for key, value in job.items() if key not in counted},
                                    "podFailurePolicy": {"rules": failures},
                                    "template": {"spec": {**pod, "containers": [node]}},
                                },
                            },
                        }
                    ],
                }
            },
        },
    }


def _patch(plan: Plan, template: dict[str, Any], of_runtime: dict[str, Any]) -> dict[str, Any]:
    """Return the patch of the JobSet that gives a run's pods their labels, their place and their volumes."""
    ours = template["spec"]
    (container,) = ours["containers"]
    volumes = [one for one in ours["volumes"] if one not in of_runtime["volumes"]]
    mounts = [one for one in container["volumeMounts"] if one not in of_runtime["containers"][0]["volumeMounts"]]
    spec: dict[str, Any] = {
        **({"volumes": volumes} if volumes else {}),
        **({"containers": [{"name": CONTAINER, "volumeMounts": mounts}]} if mounts else {}),
    }
    spec |= placement(plan.cluster)
    if ours["terminationGracePeriodSeconds"] != of_runtime["terminationGracePeriodSeconds"]:
        spec["terminationGracePeriodSeconds"] = ours["terminationGracePeriodSeconds"]
    metadata = {"labels": template["metadata"]["labels"], "annotations": template["metadata"]["annotations"]}
    pods: dict[str, Any] = {"metadata": metadata, **({"spec": spec} if spec else {})}
    job = {"metadata": {"labels": dict(plan.labels)}, "spec": {"template": pods}}
    return {"replicatedJobs": [{"name": NODES, "template": job}]}


def _own_variables(container: dict[str, Any], of_runtime: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the variables that the runtime does not have, but for those that Kubeflow's trainer sets."""
    there = of_runtime["containers"][0]["env"]
    return [one for one in container["env"] if one not in there and not one["name"].startswith(_OF_TRAINER)]


def _pod_of_runtime() -> dict[str, Any]:
    (replicated,) = build_runtime()["spec"]["template"]["spec"]["replicatedJobs"]
    pod: dict[str, Any] = replicated["template"]["spec"]["template"]["spec"]
    return pod


def _any_plan(nodes: int) -> Plan:
    return make_plan("any", resolve(RunRequest()), ClusterRequest(image=Image.parse(RUNTIME), nodes=nodes))


def _refuse_fixed(cluster: ClusterRequest) -> None:
    defaults = ClusterRequest(image=cluster.image)
    found = [name for name in (*_FIXED_BY_RUNTIME, "keep_seconds") if getattr(cluster, name) != getattr(defaults, name)]
    if found:
        raise RequestError(
            f"{', '.join(name.replace('_', ' ') for name in found)} cannot be set with --backend trainjob.",
            why=f"The TrainingRuntime {RUNTIME} of the namespace has that for all runs.",
            fix="Drop it, or use --backend job.",
        )
