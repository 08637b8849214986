"""State of a run that a JobSet executes, one of our own or that of a TrainJob. Pure.

It is read as that of a Job whose pods are those of the newest attempt: the pods of earlier ones are deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from phase2.cluster.labels import CANCELLED_ANNOTATION
from phase2.cluster.objects import Object, annotation, condition
from phase2.cluster.run_state import RunState
from phase2.cluster.status.job import job_state

_ATTEMPT = "jobset.sigs.k8s.io/restart-attempt"
_OF_JOBSET = {"Completed": "Complete", "Failed": "Failed"}
_OF_TRAINJOB = {"Complete": "Complete", "Failed": "Failed"}


def jobset_state(
    jobset: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
) -> RunState:
    """Return the state of a run.

    Args:
        jobset: Its JobSet.
        pods: The pods of the JobSet.
        events: Events of its namespace.
        now: The current time; None reads this machine's clock.
    """
    (replicated,) = jobset["spec"]["replicatedJobs"]
    job: Mapping[str, Any] = replicated["template"]["spec"]
    spec = {key: job.get(key) for key in ("completions", "activeDeadlineSeconds")}
    restarts = int((jobset.get("status") or {}).get("restarts") or 0)
    found = job_state(_as_job(jobset, spec, _OF_JOBSET, pods), pods, events, now=now)
    return replace(found, kind="JobSet", attempt=max(found.attempt, restarts + (1 if pods else 0)))


def trainjob_state(
    trainjob: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
) -> RunState:
    """Return the state of a run.

    Args:
        trainjob: Its TrainJob.
        pods: The pods of the JobSet that was made of it; their labels alone say which attempt it is.
        events: Events of its namespace.
        now: The current time; None reads this machine's clock.
    """
    spec = {
        "completions": (trainjob["spec"].get("trainer") or {}).get("numNodes"),
        "activeDeadlineSeconds": trainjob["spec"].get("activeDeadlineSeconds"),
    }
    restarts = [int((pod["metadata"].get("labels") or {}).get(_ATTEMPT) or 0) for pod in pods]
    found = job_state(_as_job(trainjob, spec, _OF_TRAINJOB, pods), pods, events, now=now)
    return replace(found, kind="TrainJob", attempt=max([found.attempt, *(restart + 1 for restart in restarts)]))


def _as_job(obj: Object, spec: Mapping[str, Any], names: Mapping[str, str], pods: Sequence[Object]) -> dict[str, Any]:
    """Return the Job that an object stands for; ``names`` are those of a Job's conditions by its own."""
    conditions = [
        {**one, "type": names[one["type"]]}
        for one in (obj.get("status") or {}).get("conditions") or []
        if one.get("type") in names
    ]
    is_stopped = annotation(obj, CANCELLED_ANNOTATION) is not None and condition(obj, "Suspended") is not None
    if is_stopped and not pods and not conditions:
        conditions = [{**(condition(obj, "Suspended") or {}), "type": "Failed"}]
    return {
        "kind": obj.get("kind"),
        "metadata": obj["metadata"],
        "spec": {"completionMode": "Indexed", "suspend": obj["spec"].get("suspend"), **spec},
        "status": {"startTime": obj["metadata"].get("creationTimestamp"), "conditions": conditions},
    }
