"""The cluster backends: a Job, an Argo Workflow and a JobSet. A new backend is one class and one entry here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from phase2.cluster.backend import BackendName, Outcome, RunBackend
from phase2.cluster.jobset_backend import JobSetBackend
from phase2.cluster.labels import CANCELLED_ANNOTATION, cancelled_at, is_labelled
from phase2.cluster.manifests import pod
from phase2.cluster.manifests import workflow as argo
from phase2.cluster.manifests.job import build_job
from phase2.cluster.objects import Object, annotation, condition, newest_first
from phase2.cluster.plan import Plan
from phase2.cluster.run_state import RunState
from phase2.cluster.status.group import of_rank
from phase2.cluster.status.identity import RunIdentity, job_identity, template_of, workflow_identity
from phase2.cluster.status.job import job_state
from phase2.cluster.status.pod import has_started
from phase2.cluster.status.workflow import workflow_state
from phase2.cluster.status.workflow_summary import is_cancelled


@dataclass(frozen=True, slots=True)
class JobBackend:
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

    def owns(self, obj: Object) -> bool:
        """Whether a Job has the labels of phase2."""
        return is_labelled(obj)

    def identity(self, obj: Object) -> RunIdentity:
        """Return the run in the labels."""
        return job_identity(obj)

    def run_id(self, obj: Object) -> str:
        """Return the run id stored in the label."""
        return self.identity(obj).run_id

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

    def pods_to_log(self, pods: Sequence[Object], rank: int = 0) -> list[Object]:
        """Select the newest attempt; its log names the checkpoint that it resumed from."""
        return [newest for newest in newest_first(of_rank(pods, rank))[:1] if has_started(newest)]

    def required_template(self, manifest: Object) -> str | None:  # noqa: ARG002
        """Return None: a Job refers to no template."""
        return None


@dataclass(frozen=True, slots=True)
class ArgoBackend:
    """Backend that executes a run as an Argo Workflow, which refers to an installed WorkflowTemplate."""

    name: BackendName = "argo"
    kind: str = "Workflow"
    group: str = "/apis/argoproj.io/v1alpha1"
    plural: str = "workflows"
    pod_label: str = "workflows.argoproj.io/workflow"
    container: str = argo.CONTAINER
    are_labelled: bool = False

    def build(self, plan: Plan) -> dict[str, Any]:
        """Return the Workflow of a plan."""
        return argo.build_workflow(plan)

    def owns(self, obj: Object) -> bool:
        """Whether a Workflow refers to a template of phase2, or has the labels; those of ``--from`` may have none."""
        return template_of(obj) in argo.TEMPLATES or is_labelled(obj)

    def identity(self, obj: Object) -> RunIdentity:
        """Return the run in the outputs, parameters or labels, also of a Workflow that ``argo submit`` created."""
        return workflow_identity(obj)

    def run_id(self, obj: Object) -> str:
        """Return the run id in the outputs, the parameters or the label."""
        return self.identity(obj).run_id

    def outcome(self, obj: Object) -> Outcome | None:
        """Read the outcome from the phase, which Argo sets after the exit handler has run."""
        outcomes: dict[str, Outcome] = {"Succeeded": "succeeded", "Failed": "failed", "Error": "failed"}
        return outcomes.get(str((obj.get("status") or {}).get("phase")))

    def is_stopping(self, obj: Object) -> bool:
        """Whether ``phase2 cancel`` or ``argo stop`` stopped the Workflow."""
        return is_cancelled(obj)

    def stop_patch(self, now: datetime) -> Object:
        """Return the patch of ``argo stop``: running steps get SIGTERM, no step starts, the exit handler runs."""
        return {"metadata": cancelled_at(now), "spec": {"shutdown": "Stop"}}

    def state(
        self, obj: Object, pods: Sequence[Object], events: Sequence[Object] = (), *, now: datetime | None = None
    ) -> RunState:
        """Read the state from the Workflow's phase and nodes, and the pod of its current step."""
        return workflow_state(obj, pods, events, now=now)

    def pods_to_log(self, pods: Sequence[Object], rank: int = 0) -> list[Object]:
        """Select every step that has started, in the order of creation."""
        return newest_first(filter(has_started, of_rank(pods, rank)))[::-1]

    def required_template(self, manifest: Object) -> str | None:
        """Return the name in ``workflowTemplateRef``."""
        return str(manifest["spec"]["workflowTemplateRef"]["name"])


CLUSTER_BACKENDS: dict[BackendName, RunBackend] = {
    backend.name: backend for backend in (JobBackend(), ArgoBackend(), JobSetBackend())
}
"""The backends by the value of ``--backend``."""
