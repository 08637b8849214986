"""The kinds of objects that carry runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from phase2.cluster.backend import Carrier, ClusterBackend, Ending
from phase2.cluster.labels import CANCELLED_ANNOTATION, RUN_LABEL
from phase2.cluster.manifests import pod
from phase2.cluster.manifests import workflow as argo
from phase2.cluster.manifests.job import build_job
from phase2.cluster.objects import Object, annotation, condition, name_of, newest_first
from phase2.cluster.plan import Plan
from phase2.cluster.run_state import RunState
from phase2.cluster.status.job import job_state
from phase2.cluster.status.pod import container_state
from phase2.cluster.status.workflow import is_cancelled, workflow_run_id, workflow_state


@dataclass(frozen=True, slots=True)
class JobBackend:
    """A batch/v1 Job: its controller is part of every cluster."""

    backend: ClusterBackend = "job"
    kind: str = "Job"
    group: str = "/apis/batch/v1"
    plural: str = "jobs"
    pod_label: str = "batch.kubernetes.io/job-name"
    container: str = pod.CONTAINER

    def build(self, plan: Plan) -> dict[str, Any]:
        """The Job of a plan."""
        return build_job(plan)

    def run_id(self, one: Object) -> str:
        """Its label says so."""
        return str((one["metadata"].get("labels") or {}).get(RUN_LABEL) or name_of(one))

    def ending(self, one: Object) -> Ending | None:
        """By its conditions."""
        if condition(one, "Complete"):
            return "succeeded"
        return "failed" if condition(one, "Failed") else None

    def is_stopping(self, one: Object) -> bool:
        """A Job that ends is given a condition first."""
        return bool(condition(one, "FailureTarget") or annotation(one, CANCELLED_ANNOTATION))

    def stop_patch(self, now: datetime) -> Object:
        """As if its time were up."""
        return {
            "metadata": {"annotations": {CANCELLED_ANNOTATION: now.isoformat(timespec="seconds")}},
            "spec": {"activeDeadlineSeconds": 1},
        }

    def state(
        self, one: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
    ) -> RunState:
        """By its conditions, and by what its newest pod does."""
        return job_state(one, pods, events, now=now)

    def logged(self, pods: Sequence[Object]) -> list[Object]:
        """The newest attempt, which says from where it went on."""
        return [one for one in newest_first(pods)[:1] if container_state(one).keys() & {"running", "terminated"}]

    def template(self, manifest: Object) -> str | None:  # noqa: ARG002
        """A Job says all by itself."""
        return None


@dataclass(frozen=True, slots=True)
class ArgoBackend:
    """An Argo Workflow that refers to an installed WorkflowTemplate."""

    backend: ClusterBackend = "argo"
    kind: str = "Workflow"
    group: str = "/apis/argoproj.io/v1alpha1"
    plural: str = "workflows"
    pod_label: str = "workflows.argoproj.io/workflow"
    container: str = argo.CONTAINER

    def build(self, plan: Plan) -> dict[str, Any]:
        """The thin Workflow of a plan."""
        return argo.build_workflow(plan)

    def run_id(self, one: Object) -> str:
        """Its label says so; one of ``argo submit`` says it among its parameters, or not at all."""
        return workflow_run_id(one)

    def ending(self, one: Object) -> Ending | None:
        """By its phase, which Argo sets when the exit handler is done as well."""
        endings: dict[str, Ending] = {"Succeeded": "succeeded", "Failed": "failed", "Error": "failed"}
        return endings.get(str((one.get("status") or {}).get("phase")))

    def is_stopping(self, one: Object) -> bool:
        """Likewise after ``argo stop``."""
        return is_cancelled(one)

    def stop_patch(self, now: datetime) -> Object:
        """What ``argo stop`` does: running steps get SIGTERM, no further one begins, the exit handler runs."""
        return {
            "metadata": {"annotations": {CANCELLED_ANNOTATION: now.isoformat(timespec="seconds")}},
            "spec": {"shutdown": "Stop"},
        }

    def state(
        self, one: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
    ) -> RunState:
        """By its phase and its nodes, and by what the pod of the current step does."""
        return workflow_state(one, pods, events, now=now)

    def logged(self, pods: Sequence[Object]) -> list[Object]:
        """Every step that has begun, one after another."""
        begun = [one for one in pods if container_state(one).keys() & {"running", "terminated"}]
        return newest_first(begun)[::-1]

    def template(self, manifest: Object) -> str | None:
        """The one that it refers to."""
        return str(manifest["spec"]["workflowTemplateRef"]["name"])


CLUSTER_BACKENDS: dict[ClusterBackend, Carrier] = {one.backend: one for one in (JobBackend(), ArgoBackend())}
"""By what ``--backend`` calls them."""
