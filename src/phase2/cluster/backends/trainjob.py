"""The backend of a TrainJob, where Kubeflow's trainer is installed (https://www.kubeflow.org/docs/components/trainer)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from phase2.cluster.backends.base import BackendName
from phase2.cluster.backends.jobset import JobSetBackend
from phase2.cluster.manifests import trainjob
from phase2.cluster.objects import Object
from phase2.cluster.plan import Plan
from phase2.cluster.run_state import RunState
from phase2.cluster.status.jobset import trainjob_state


@dataclass(frozen=True, slots=True)
class TrainJobBackend(JobSetBackend):
    """Backend that executes a run as a TrainJob, of which Kubeflow's trainer makes a JobSet."""

    name: BackendName = "trainjob"
    kind: str = "TrainJob"
    group: str = f"/apis/{trainjob.API_VERSION}"
    plural: str = "trainjobs"
    container: str = trainjob.CONTAINER
    completed: str = "Complete"

    def build(self, plan: Plan) -> dict[str, Any]:
        """Return the TrainJob of a plan."""
        return trainjob.build_trainjob(plan)

    def state(
        self, obj: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
    ) -> RunState:
        """Read the state from the TrainJob's conditions and its pods."""
        return trainjob_state(obj, pods, events, now=now)
