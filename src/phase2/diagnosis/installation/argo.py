"""Check of Argo: its kinds, its controller, and the templates of phase2."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from phase2 import __version__
from phase2.cluster.manifests.workflow import TEMPLATE
from phase2.cluster.objects import Object, name_of, time_of
from phase2.diagnosis.finding import Finding, Problem
from phase2.diagnosis.installation.reader import APPS, ARGO, NamespaceReader

_VERSION_LABEL = "app.kubernetes.io/version"
_CONTROLLER = "workflow-controller"
_PATIENCE = timedelta(minutes=2)


def check_templates(reader: NamespaceReader) -> Iterator[Finding]:
    """Check that the templates are installed, by a phase2 of this version."""
    found = reader.items(ARGO, "workflowtemplates")
    if found is None:
        yield Finding("argo", "templates", "Argo Workflows is not installed: runs are Jobs")
        return
    ours = [one for one in found if name_of(one).startswith("phase2-")]
    if not any(name_of(one) == TEMPLATE for one in ours):
        what = f"The WorkflowTemplate {TEMPLATE} is missing."
        problem = Problem(what, "Runs can be Jobs alone.", "kubectl apply -k argo, or set argo.enabled in the chart.")
        yield Finding("argo", "templates", "none", problem)
        return
    versions = sorted({str((one["metadata"].get("labels") or {}).get(_VERSION_LABEL) or "") for one in ours} - {""})
    other = [version for version in versions if version != __version__]
    problem_of_version = None
    if other:
        what = f"The templates are of phase2 {', '.join(other)}, and this is {__version__}."
        problem_of_version = Problem(what, "Options may be missing there.", "Upgrade the installation, or this phase2.")
    said = f"of version {', '.join(versions)}" if versions else "which do not say their version"
    yield Finding("argo", "templates", f"{len(ours)}, {said}", problem_of_version)


def check_waiting_workflows(reader: NamespaceReader) -> Iterator[Finding]:
    """Check whether a controller looks at the Workflows of the namespace."""
    found = reader.items(ARGO, "workflows")
    if found is None:
        return
    unseen = [name_of(one) for one in found if _is_unseen(one, datetime.now(UTC))]
    problem = None
    if unseen:
        what = f"No controller has looked at {len(unseen)} Workflows, such as {unseen[0]}."
        why = f"Argo's controller is not running, or does not watch the namespace {reader.namespace}."
        problem = Problem(what, why, "Look at its Deployment, and at its options --namespaced, --managed-namespace.", 2)
    yield Finding("argo", "workflows", f"{len(found)}, {len(unseen)} not seen by a controller", problem)


def check_controller(reader: NamespaceReader) -> Iterator[Finding]:
    """Check the Deployment of Argo's controller, wherever it is."""
    if reader.items(ARGO, "workflowtemplates") is None:
        return
    deployments = reader.items(APPS, "deployments", cluster=True) or []
    found = [one for one in deployments if _CONTROLLER in name_of(one)]
    if not found:
        yield Finding("argo", "controller", "no Deployment of this name: it may run elsewhere")
        return
    watching = [one for one in found if _watches(one, reader.namespace)]
    ready = [one for one in watching if (one.get("status") or {}).get("readyReplicas")]
    problem = None
    if not watching:
        what = f"Argo's controller does not watch the namespace {reader.namespace}."
        problem = Problem(what, "Its options name another one.", f"Give it --managed-namespace={reader.namespace}.", 2)
    elif not ready:
        problem = Problem("Argo's controller is not ready.", "No Workflow starts.", "Look at its pods.", 75)
    places = ", ".join(f"{one['metadata'].get('namespace')}/{name_of(one)}" for one in found)
    yield Finding("argo", "controller", f"{places}: {'ready' if ready else 'not ready'}", problem)


def _watches(deployment: Object, namespace: str) -> bool:
    containers = deployment["spec"]["template"]["spec"].get("containers") or []
    words = [word for one in containers for word in [*(one.get("command") or ()), *(one.get("args") or ())]]
    managed = next((word.partition("=")[2] for word in words if word.startswith("--managed-namespace=")), "")
    if "--managed-namespace" in words:
        managed = words[words.index("--managed-namespace") + 1]
    if not managed and "--namespaced" not in words:
        return True
    return (managed or deployment["metadata"].get("namespace")) == namespace


def _is_unseen(workflow: Object, now: datetime) -> bool:
    created = time_of(workflow["metadata"].get("creationTimestamp"))
    return not (workflow.get("status") or {}).get("phase") and created is not None and now - created > _PATIENCE
