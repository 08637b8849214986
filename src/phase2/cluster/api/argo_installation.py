"""Whether a namespace has what a Workflow needs: Argo itself, and the template that the Workflow refers to."""

from __future__ import annotations

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.refusals import ForbiddenError
from phase2.cluster.objects import Object
from phase2.errors import RequestError

_ELSEWHERE = "or use --backend job, which needs nothing but Kubernetes."


def refuse_without_argo(client: RunClient, manifest: Object) -> None:
    """Refuse to create a Workflow that nobody would carry out; objects of other kinds need nothing.

    Argo's controller says it too, but only in the status of a Workflow that has failed by then.

    Raises:
        RequestError: Argo or the template is not installed.
        TransientError: The server does not answer.
    """
    template = client.carrier.template(manifest)
    if template is None:
        return
    try:
        found = client.beside("workflowtemplates", template)
    except ForbiddenError:
        found = {}  # who may not look may still create
    if found is None or not found:
        _refuse_without_api(client)
    if found is None:
        raise RequestError(
            f"The WorkflowTemplate {template} is missing in the namespace {client.namespace}.",
            why="A Workflow only says what is to be done; the template says how.",
            fix=f"Have it installed with 'kubectl apply -k argo' (docs/how-to/argo.md), {_ELSEWHERE}",
        )


def _refuse_without_api(client: RunClient) -> None:
    if not client.is_known():
        raise RequestError(
            "Argo Workflows is not installed in this cluster.",
            why=f"{client.server} has no API argoproj.io/v1alpha1.",
            fix=f"Have it installed (docs/how-to/argo.md), {_ELSEWHERE}",
        )
