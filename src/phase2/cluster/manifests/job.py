"""A plan as a batch/v1 Job. Pure."""

from __future__ import annotations

from typing import Any

from phase2.cluster.labels import PLAN_ANNOTATION, spec_digest
from phase2.cluster.manifests.pod import CONTAINER, pod_spec
from phase2.cluster.plan import Plan

QUEUE_LABEL = "kueue.x-k8s.io/queue-name"

FINAL_EXIT_CODES = (2, 3, 4)
"""A bad request, bad data and a model file that cannot be used are as bad the next time."""


def build_job(plan: Plan) -> dict[str, Any]:
    """The Job of a plan, as the API server takes it."""
    cluster = plan.cluster
    spec: dict[str, Any] = {
        "completions": 1,
        "parallelism": 1,
        "backoffLimit": cluster.retries,
        # A pod that was lost and may still be at work is waited for: two would do the same work.
        "podReplacementPolicy": "Failed",
        "podFailurePolicy": {
            "rules": [
                {
                    "action": "FailJob",
                    "onExitCodes": {
                        "containerName": CONTAINER,
                        "operator": "In",
                        "values": list(FINAL_EXIT_CODES),
                    },
                },
                # Preemption, eviction and a drained node are nobody's fault: they cost no retry.
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            ]
        },
        "ttlSecondsAfterFinished": cluster.keep_seconds,
        "template": {
            "metadata": {"labels": dict(plan.labels), "annotations": dict(plan.annotations)},
            "spec": pod_spec(plan),
        },
    }
    if cluster.deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = cluster.deadline_seconds
    labels = dict(plan.labels)
    if cluster.queue is not None:
        labels[QUEUE_LABEL] = cluster.queue
        spec["suspend"] = True  # until the queue admits it
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": plan.name,
            "namespace": cluster.namespace,
            "labels": labels,
            "annotations": {**plan.annotations, PLAN_ANNOTATION: spec_digest(spec)},
        },
        "spec": spec,
    }


def to_yaml(manifest: dict[str, Any]) -> str:
    """A manifest as YAML, its keys in their own order."""
    import yaml

    return str(yaml.safe_dump(manifest, sort_keys=False, width=120))
