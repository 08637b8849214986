"""Job manifest of a plan (batch/v1). Pure."""

from __future__ import annotations

from typing import Any

from phase2.cluster.manifests.group import group_labels, group_spec
from phase2.cluster.manifests.pod import CONTAINER, pod_spec
from phase2.cluster.manifests.protection import PROTECTED, PROTECTED_LABEL
from phase2.cluster.manifests.run_object import run_object
from phase2.cluster.plan import Plan

FINAL_EXIT_CODES = (2, 3, 4)
"""Exit codes of failures that a retry cannot cure: a bad request, bad data, a bad model file."""


def build_job(plan: Plan) -> dict[str, Any]:
    """Build the Job of a plan, as the API server accepts it."""
    cluster = plan.cluster
    spec: dict[str, Any] = {
        "completions": 1,
        "parallelism": 1,
        "backoffLimit": cluster.retries,
        # A lost pod may still be running: it is replaced only after it has failed, so that no two train the run.
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
                # Preemption, eviction and a drained node do not count as retries.
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            ]
        },
        **group_spec(plan),
        "ttlSecondsAfterFinished": cluster.keep_seconds,
        "template": {
            "metadata": {"labels": _pod_labels(plan), "annotations": dict(plan.annotations)},
            "spec": pod_spec(plan),
        },
    }
    if cluster.deadline_seconds is not None:
        spec["activeDeadlineSeconds"] = cluster.deadline_seconds
    return run_object(plan, "batch/v1", "Job", spec)


def _pod_labels(plan: Plan) -> dict[str, str]:
    protected = {} if plan.cluster.protect_hours is None else {PROTECTED_LABEL: PROTECTED}
    return {**plan.labels, **group_labels(plan), **protected}


def to_yaml(manifest: dict[str, Any]) -> str:
    """Format a manifest as YAML; the order of keys is kept."""
    import yaml

    return str(yaml.safe_dump(manifest, sort_keys=False, width=120))
