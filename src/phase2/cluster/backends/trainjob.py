"""The backend of a TrainJob, where Kubeflow's trainer is installed (https://www.kubeflow.org/docs/components/trainer)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from phase2.cluster.backends.base import BackendName, Outcome
from phase2.cluster.backends.labelled import LabelledBackend
from phase2.cluster.labels import CANCELLED_ANNOTATION, cancelled_at
from phase2.cluster.manifests import trainjob
from phase2.cluster.objects import Object, annotation, condition
from phase2.cluster.plan import Plan
from phase2.cluster.run_state import RunState
from phase2.cluster.status.jobset import trainjob_state


@dataclass(frozen=True, slots=True)
class TrainJobBackend(LabelledBackend):
    """Backend that executes a run as a TrainJob, of which Kubeflow's trainer makes a JobSet."""

    name: BackendName = "trainjob"
    kind: str = "TrainJob"
    group: str = f"/apis/{trainjob.API_VERSION}"
    plural: str = "trainjobs"
    pod_label: str = "jobset.sigs.k8s.io/jobset-name"
    container: str = trainjob.CONTAINER
    are_labelled: bool = True

    def build(self, plan: Plan) -> dict[str, Any]:
        """Return the TrainJob of a plan."""
        return trainjob.build_trainjob(plan)

    def outcome(self, obj: Object) -> Outcome | None:
        """Read the outcome from the conditions; a TrainJob that was cancelled has ended once it is suspended."""
        if condition(obj, "Complete"):
            return "succeeded"
        is_stopped = annotation(obj, CANCELLED_ANNOTATION) and condition(obj, "Suspended")
        return "failed" if condition(obj, "Failed") or is_stopped else None

    def is_stopping(self, obj: Object) -> bool:
        """Whether the TrainJob was cancelled."""
        return annotation(obj, CANCELLED_ANNOTATION) is not None

    def stop_patch(self, now: datetime) -> Object:
        """Return a patch that suspends the TrainJob, which deletes its pods."""
        return {"metadata": cancelled_at(now), "spec": {"suspend": True}}

    def state(
        self, obj: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
    ) -> RunState:
        """Read the state from the TrainJob's conditions and its pods."""
        return trainjob_state(obj, pods, events, now=now)
