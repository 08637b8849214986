"""The backend of an Argo Workflow (https://argo-workflows.readthedocs.io)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from phase2.cluster.backends.base import BackendName, Outcome
from phase2.cluster.labels import cancelled_at, is_labelled
from phase2.cluster.manifests import workflow as argo
from phase2.cluster.objects import Object, newest_first
from phase2.cluster.plan import Plan
from phase2.cluster.run_state import RunState
from phase2.cluster.status.group import of_rank
from phase2.cluster.status.identity import RunIdentity, template_of, workflow_identity
from phase2.cluster.status.pod import has_started
from phase2.cluster.status.workflow import workflow_state
from phase2.cluster.status.workflow_summary import is_cancelled


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
