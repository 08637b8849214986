"""The backend of a Job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from phase2.cluster.backends.base import BackendName, Outcome
from phase2.cluster.backends.labelled import LabelledBackend
from phase2.cluster.labels import CANCELLED_ANNOTATION, cancelled_at
from phase2.cluster.manifests import pod
from phase2.cluster.manifests.job import build_job
from phase2.cluster.objects import Object, annotation, condition
from phase2.cluster.plan import Plan
from phase2.cluster.run_state import RunState
from phase2.cluster.status.job import job_state


@dataclass(frozen=True, slots=True)
class JobBackend(LabelledBackend):
    """Backend that executes a run as a batch/v1 Job, whose controller is part of every cluster."""

    name: BackendName = "job"
    kind: str = "Job"
    group: str = "/apis/batch/v1"
    plural: str = "jobs"
    pod_label: str = "batch.kubernetes.io/job-name"
    container: str = pod.CONTAINER
    are_labelled: bool = True

    def build(self, plan: Plan) -> dict[str, Any]:
        """Return the Job of a plan."""
        return build_job(plan)

    def outcome(self, obj: Object) -> Outcome | None:
        """Read the outcome from the Job's conditions."""
        if condition(obj, "Complete"):
            return "succeeded"
        return "failed" if condition(obj, "Failed") else None

    def is_stopping(self, obj: Object) -> bool:
        """Whether the Job has the condition that precedes its end, or was cancelled."""
        return bool(condition(obj, "FailureTarget") or annotation(obj, CANCELLED_ANNOTATION))

    def stop_patch(self, now: datetime) -> Object:
        """Return a patch that lets the Job's deadline expire."""
        return {"metadata": cancelled_at(now), "spec": {"activeDeadlineSeconds": 1}}

    def state(
        self, obj: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
    ) -> RunState:
        """Read the state from the Job's conditions and its newest pod."""
        return job_state(obj, pods, events, now=now)
