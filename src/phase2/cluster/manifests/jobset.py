"""JobSet manifest of a plan (jobset.x-k8s.io/v1alpha2): its controller starts a group again as a whole. Pure."""

from __future__ import annotations

from typing import Any

from phase2.cluster.manifests.group import SERVICE
from phase2.cluster.manifests.job import build_job
from phase2.cluster.manifests.run_object import run_object
from phase2.cluster.plan import Plan
from phase2.errors import RequestError
from phase2.machine.rank import ADDRESS_VARIABLE

NODES = "node"
"""Name of the only Job of a JobSet, in it."""

# A pod is named NAME-node-0-INDEX and five random characters.
_LONGEST_NAME = 63 - len(f"-{NODES}-0-63-abcde")


def build_jobset(plan: Plan) -> dict[str, Any]:
    """Build the JobSet of a plan: the Job of its group, which fails with the first pod, and is then made anew.

    Raises:
        RequestError: The run has one pod, or an id that is too long for the names of its pods.
    """
    _refuse_one_pod(plan)
    refuse_long_names(plan)
    job = build_job(plan)
    spec: dict[str, Any] = {
        "ttlSecondsAfterFinished": plan.cluster.keep_seconds,
        "network": {"enableDNSHostnames": True, "publishNotReadyAddresses": True},
        "failurePolicy": {
            "maxRestarts": plan.cluster.retries,
            # Nothing starts before all pods of the attempt before are gone, so that no two groups train the run.
            "restartStrategy": "BlockingRecreate",
            "rules": [
                {
                    "name": "final",
                    "action": "FailJobSet",
                    "onJobFailureReasons": ["PodFailurePolicy", "DeadlineExceeded"],
                }
            ],
        },
        "replicatedJobs": [
            {
                "name": NODES,
                "replicas": 1,
                "template": {"metadata": {"labels": dict(plan.labels)}, "spec": _job_spec(plan, job["spec"])},
            }
        ],
    }
    return run_object(plan, "jobset.x-k8s.io/v1alpha2", "JobSet", spec)


def _job_spec(plan: Plan, spec: dict[str, Any]) -> dict[str, Any]:
    """Return the spec of the Job of an attempt: what the JobSet has for all attempts is not in it."""
    final, _ = spec["podFailurePolicy"]["rules"]
    kept = {key: value for key, value in spec.items() if key not in ("ttlSecondsAfterFinished", "suspend")}
    pod = {key: value for key, value in spec["template"]["spec"].items() if key != "subdomain"}
    (container,) = pod["containers"]
    first = {f"{plan.name}-0.{SERVICE}": f"{plan.name}-{NODES}-0-0.{plan.name}"}
    variables = [
        {**one, "value": first[one["value"]]} if one["name"] == ADDRESS_VARIABLE else one for one in container["env"]
    ]
    pod["containers"] = [{**container, "env": variables}]
    # Every failure of a pod, a disruption among them, fails the Job, and the JobSet starts all pods again.
    return {
        **kept,
        "backoffLimit": 0,
        "podFailurePolicy": {"rules": [final]},
        "template": {**spec["template"], "spec": pod},
    }


def refuse_long_names(plan: Plan) -> None:
    """Refuse a run id that leaves no room for what JobSet adds to it in the names of pods.

    Raises:
        RequestError: It is too long.
    """
    if len(plan.name) > _LONGEST_NAME:
        raise RequestError(
            f"The run id '{plan.run_id}' is too long for a JobSet.",
            why=f"Its name is a part of those of the pods, and has {_LONGEST_NAME} characters at most.",
            fix="Give a shorter --run-id, or none and let one be made.",
        )


def _refuse_one_pod(plan: Plan) -> None:
    if not plan.cluster.is_group:
        raise RequestError(
            "--backend jobset is for runs on several nodes.",
            why="A JobSet starts all pods of a run again when one is lost; a run of one pod needs a Job alone.",
            fix="Add --nodes, or use --backend job.",
        )
