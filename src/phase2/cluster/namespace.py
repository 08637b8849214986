"""The runs of a namespace, over all backends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.connection import Connection
from phase2.cluster.api.errors import ForbiddenError, ObjectGoneError
from phase2.cluster.backend import BackendName, RunBackend
from phase2.cluster.backends import CLUSTER_BACKENDS
from phase2.cluster.lookup import find_submitted
from phase2.cluster.objects import Object, name_of
from phase2.cluster.run_state import RunState
from phase2.errors import RequestError


@dataclass(frozen=True, slots=True)
class SubmittedRun:
    """A run found in a namespace.

    Attributes:
        backend: Backend that executes it.
        object: The object that executes it.
    """

    backend: RunBackend
    object: Object

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return self.backend.run_id(self.object)

    @property
    def name(self) -> str:
        """Name of the object."""
        return name_of(self.object)

    @property
    def created(self) -> str:
        """Creation time of the object, as the server writes it; "" if it was not created yet."""
        return str(self.object["metadata"].get("creationTimestamp") or "")


class Cluster:
    """One namespace of a cluster, with a client for each backend.

    Args:
        connection: Connection to the cluster.
        namespace: The namespace.

    Attributes:
        connection: Connection to the cluster.
        namespace: The namespace.
    """

    def __init__(self, connection: Connection, namespace: str) -> None:
        self.connection = connection
        self.namespace = namespace
        self._clients: Mapping[BackendName, RunClient] = {
            name: RunClient(connection, namespace, backend) for name, backend in CLUSTER_BACKENDS.items()
        }

    def client(self, name: BackendName) -> RunClient:
        """Return the client of a backend."""
        return self._clients[name]

    def other_clients(self, name: BackendName) -> list[RunClient]:
        """Return the clients of all other backends."""
        return [client for other, client in self._clients.items() if other != name]

    def runs(self) -> list[SubmittedRun]:
        """List the runs; a kind that the cluster does not know, or that may not be listed, is skipped.

        Raises:
            ForbiddenError: No kind may be listed.
            TransientError: The server does not answer.
        """
        found: list[SubmittedRun] = []
        hidden: list[RequestError] = []
        for client in self._clients.values():
            try:
                found += [SubmittedRun(client.backend, obj) for obj in client.objects()]
            except (ForbiddenError, ObjectGoneError) as error:
                hidden.append(error)
        if len(hidden) == len(self._clients):
            raise hidden[0]
        return found

    def find(self, name: str) -> SubmittedRun:
        """Find a run by its id, the name of its object, or a unique prefix of either.

        Raises:
            RequestError: No run matches, or several do.
        """
        return find_submitted(self.runs(), name)

    def state(self, run: SubmittedRun) -> RunState:
        """Return the state of a run."""
        client = self._clients[run.backend.name]
        return run.backend.state(run.object, client.pods(run.name), client.events())

    def states(self) -> list[RunState]:
        """Return the states of all runs, newest first."""
        runs = self.runs()
        if not runs:
            return []
        client = self._clients[runs[0].backend.name]
        pods, events = client.pods(), client.events()
        found = [(run, [pod for pod in pods if _owns(run, pod)]) for run in runs]
        states = [run.backend.state(run.object, its_pods, events) for run, its_pods in found]
        return sorted(states, key=lambda state: (state.created, state.name), reverse=True)


def _owns(run: SubmittedRun, pod: Object) -> bool:
    return (pod["metadata"].get("labels") or {}).get(run.backend.pod_label) == run.name
