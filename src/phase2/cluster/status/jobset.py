"""State of a run that a JobSet executes, read as that of a Job whose pods are those of the newest attempt. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from phase2.cluster.labels import CANCELLED_ANNOTATION
from phase2.cluster.objects import Object, annotation, condition
from phase2.cluster.run_state import RunState
from phase2.cluster.status.job import job_state

_CONDITIONS = {"Completed": "Complete", "Failed": "Failed"}


def jobset_state(
    jobset: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
) -> RunState:
    """Return the state of a run.

    Args:
        jobset: Its JobSet.
        pods: The pods of the JobSet; those of earlier attempts are deleted.
        events: Events of its namespace.
        now: The current time; None reads this machine's clock.
    """
    attempt = int((jobset.get("status") or {}).get("restarts") or 0) + (1 if pods else 0)
    found = job_state(_as_job(jobset, pods), pods, events, now=now)
    return replace(found, kind="JobSet", attempt=max(found.attempt, attempt))


def _as_job(jobset: Object, pods: Sequence[Object]) -> dict[str, Any]:
    spec, status = jobset.get("spec") or {}, jobset.get("status") or {}
    (replicated,) = spec["replicatedJobs"]
    job: Mapping[str, Any] = replicated["template"]["spec"]
    conditions = [
        {**one, "type": _CONDITIONS[one["type"]]}
        for one in status.get("conditions") or []
        if one.get("type") in _CONDITIONS
    ]
    is_stopped = annotation(jobset, CANCELLED_ANNOTATION) is not None and condition(jobset, "Suspended") is not None
    if is_stopped and not pods and not conditions:
        conditions = [{**(condition(jobset, "Suspended") or {}), "type": "Failed"}]
    return {
        "kind": "JobSet",
        "metadata": jobset["metadata"],
        "spec": {
            "completionMode": "Indexed",
            "completions": job.get("completions"),
            "suspend": spec.get("suspend"),
            "activeDeadlineSeconds": job.get("activeDeadlineSeconds"),
        },
        "status": {"startTime": jobset["metadata"].get("creationTimestamp"), "conditions": conditions},
    }
