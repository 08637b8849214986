"""Check that a namespace has what runs on several nodes need: a Service, or the API of JobSets or TrainJobs."""

from __future__ import annotations

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.errors import ForbiddenError
from phase2.cluster.manifests.group import SERVICE
from phase2.cluster.manifests.trainjob import RUNTIME
from phase2.cluster.objects import Object
from phase2.cluster.status.group import group_size
from phase2.errors import RequestError

_INSTALLED = {
    "jobset": ("JobSet", "https://jobset.sigs.k8s.io"),
    "trainjob": ("Kubeflow's trainer", "https://www.kubeflow.org/docs/components/trainer"),
}


def require_group(client: RunClient, manifest: Object) -> None:
    """Refuse several pods whose names nothing would resolve, and a JobSet or TrainJob that nothing executes.

    Without this check each pod waits for pod 0 until its rendezvous fails.

    Raises:
        RequestError: The namespace has no such Service or TrainingRuntime, or the cluster no JobSets or TrainJobs.
        TransientError: The server does not answer.
    """
    if client.backend.name in _INSTALLED and not client.is_known():
        what, where = _INSTALLED[client.backend.name]
        raise RequestError(
            f"{what} is not installed in this cluster.",
            why=f"{client.server} has no API {client.backend.group.removeprefix('/apis/')}.",
            fix=f"Have it installed ({where}), or use --backend job, which needs Kubernetes alone.",
        )
    if client.backend.name == "trainjob":
        _require_runtime(client)
    if client.backend.name in _INSTALLED or group_size(manifest) == 1:
        return  # their controllers name pods by themselves
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


def _require_runtime(client: RunClient) -> None:
    try:
        found = client.get_sibling("trainingruntimes", RUNTIME)
    except ForbiddenError:
        return  # Kubeflow's trainer refuses a TrainJob without its runtime, and says so
    if found is None:
        raise RequestError(
            f"The TrainingRuntime {RUNTIME} is missing in the namespace {client.namespace}.",
            why="It has what all pods of TrainJobs have: their security, their volumes, their retries.",
            fix="Have it installed (k8s/components/trainjob), or use --backend job, which needs Kubernetes alone.",
        )
