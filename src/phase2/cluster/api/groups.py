"""Check that a namespace has what runs on several nodes need: a Service, or the API of JobSets."""

from __future__ import annotations

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.errors import ForbiddenError
from phase2.cluster.manifests.group import SERVICE
from phase2.cluster.objects import Object
from phase2.errors import RequestError


def require_group(client: RunClient, manifest: Object) -> None:
    """Refuse a Job of several pods whose names nothing would resolve, and a JobSet that nothing would carry out.

    Without this check each pod waits for pod 0 until its rendezvous fails.

    Raises:
        RequestError: The namespace has no such Service, or the cluster no JobSets.
        TransientError: The server does not answer.
    """
    if client.backend.name == "jobset" and not client.is_known():
        raise RequestError(
            "JobSet is not installed in this cluster.",
            why=f"{client.server} has no API jobset.x-k8s.io/v1alpha2.",
            fix="Have it installed (https://jobset.sigs.k8s.io), or use --backend job, which needs Kubernetes alone.",
        )
    template = (manifest.get("spec") or {}).get("template") or {}
    if (template.get("spec") or {}).get("subdomain") != SERVICE:
        return
    try:
        found = client.get_service(SERVICE)
    except ForbiddenError:
        return  # a role from before: whether it is there is seen when the pods meet
    if found is None:
        raise RequestError(
            f"The Service {SERVICE} is missing in the namespace {client.namespace}.",
            why="By it the pods of a run on several nodes find each other.",
            fix="Have it installed, with k8s/base or the chart of this version, or train on one node.",
        )
