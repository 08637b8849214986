"""Check that a namespace has what a Workflow needs: Argo Workflows, and the WorkflowTemplate that it refers to."""

from __future__ import annotations

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.errors import ForbiddenError
from phase2.cluster.objects import Object
from phase2.errors import RequestError

_OR_JOB = "or use --backend job, which needs nothing but Kubernetes."


def require_argo(client: RunClient, manifest: Object) -> None:
    """Refuse a Workflow that Argo would not execute; objects of other kinds need nothing.

    Without this check the missing template is only reported in the status of a failed Workflow.

    Raises:
        RequestError: Argo or the template is not installed.
        TransientError: The server does not answer.
    """
    template = client.backend.required_template(manifest)
    if template is None:
        return
    try:
        found = client.get_sibling("workflowtemplates", template)
    except ForbiddenError:
        found = {}  # a user who may not read templates may still create Workflows
    if found is None or not found:
        _require_api(client)
    if found is None:
        raise RequestError(
            f"The WorkflowTemplate {template} is missing in the namespace {client.namespace}.",
            why="A Workflow only sets parameters; the template defines the steps.",
            fix=f"Have it installed with 'kubectl apply -k argo' (docs/how-to/argo.md), {_OR_JOB}",
        )


def _require_api(client: RunClient) -> None:
    if not client.is_known():
        raise RequestError(
            "Argo Workflows is not installed in this cluster.",
            why=f"{client.server} has no API argoproj.io/v1alpha1.",
            fix=f"Have it installed (docs/how-to/argo.md), {_OR_JOB}",
        )
