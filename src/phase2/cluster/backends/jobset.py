"""The backend of a JobSet, where its controller is installed (https://jobset.sigs.k8s.io)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from phase2.cluster.backends.base import BackendName, Outcome
from phase2.cluster.backends.labelled import LabelledBackend
from phase2.cluster.labels import CANCELLED_ANNOTATION, cancelled_at
from phase2.cluster.manifests import pod
from phase2.cluster.manifests.jobset import build_jobset
from phase2.cluster.objects import Object, annotation, condition
from phase2.cluster.plan import Plan
from phase2.cluster.run_state import RunState
from phase2.cluster.status.jobset import jobset_state


@dataclass(frozen=True, slots=True)
class JobSetBackend(LabelledBackend):
    """Backend that executes a run on several nodes as a JobSet, which is started again as a whole.

    Attributes:
        completed: Condition of an object whose run has succeeded.
    """

    name: BackendName = "jobset"
    kind: str = "JobSet"
    group: str = "/apis/jobset.x-k8s.io/v1alpha2"
    plural: str = "jobsets"
    pod_label: str = "jobset.sigs.k8s.io/jobset-name"
    container: str = pod.CONTAINER
    are_labelled: bool = True
    completed: str = "Completed"

    def build(self, plan: Plan) -> dict[str, Any]:
        """Return the JobSet of a plan."""
        return build_jobset(plan)

    def outcome(self, obj: Object) -> Outcome | None:
        """Read the outcome from the conditions; what was cancelled has ended once it is suspended."""
        if condition(obj, self.completed):
            return "succeeded"
        is_stopped = annotation(obj, CANCELLED_ANNOTATION) and condition(obj, "Suspended")
        return "failed" if condition(obj, "Failed") or is_stopped else None

    def is_stopping(self, obj: Object) -> bool:
        """Whether it was cancelled."""
        return annotation(obj, CANCELLED_ANNOTATION) is not None

    def stop_patch(self, now: datetime) -> Object:
        """Return a patch that suspends it, which deletes its pods."""
        return {"metadata": cancelled_at(now), "spec": {"suspend": True}}

    def state(
        self, obj: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
    ) -> RunState:
        """Read the state from the JobSet's conditions and its pods."""
        return jobset_state(obj, pods, events, now=now)
