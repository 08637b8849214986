"""The runs of a namespace, whatever carries them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.connection import Connection
from phase2.cluster.api.refusals import ForbiddenError, ObjectGoneError
from phase2.cluster.backend import Carrier, ClusterBackend
from phase2.cluster.backends import CLUSTER_BACKENDS
from phase2.cluster.lookup import find_run
from phase2.cluster.objects import Object, name_of
from phase2.cluster.run_state import RunState
from phase2.errors import RequestError


@dataclass(frozen=True, slots=True)
class SubmittedRun:
    """A run as it was found.

    Attributes:
        carrier: What carries it.
        object: The object that does.
    """

    carrier: Carrier
    object: Object

    @property
    def run_id(self) -> str:
        """Its id."""
        return self.carrier.run_id(self.object)

    @property
    def name(self) -> str:
        """Name of its object."""
        return name_of(self.object)

    @property
    def created(self) -> str:
        """When its object was made, as the server writes it; "" of one that was not yet."""
        return str(self.object["metadata"].get("creationTimestamp") or "")


class Cluster:
    """One namespace of a cluster, and the kinds of objects that carry its runs.

    Args:
        connection: The way to the cluster.
        namespace: The namespace.

    Attributes:
        namespace: The same.
    """

    def __init__(self, connection: Connection, namespace: str) -> None:
        self.namespace = namespace
        self._clients: Mapping[ClusterBackend, RunClient] = {
            backend: RunClient(connection, namespace, carrier) for backend, carrier in CLUSTER_BACKENDS.items()
        }

    def client(self, backend: ClusterBackend) -> RunClient:
        """What works on one kind."""
        return self._clients[backend]

    def others(self, backend: ClusterBackend) -> list[RunClient]:
        """What works on the other kinds."""
        return [client for name, client in self._clients.items() if name != backend]

    def runs(self) -> list[SubmittedRun]:
        """Read the runs that are listed; a kind that this cluster does not know, or hides, is passed over.

        Raises:
            ForbiddenError: No kind may be listed.
            TransientError: The server does not answer.
        """
        found: list[SubmittedRun] = []
        hidden: list[RequestError] = []
        for client in self._clients.values():
            try:
                found += [SubmittedRun(client.carrier, one) for one in client.objects()]
            except (ForbiddenError, ObjectGoneError) as error:
                hidden.append(error)
        if len(hidden) == len(self._clients):
            raise hidden[0]
        return found

    def find(self, name: str) -> SubmittedRun:
        """Find a run by its id, by the name of its object, or by the unique beginning of one of these.

        Raises:
            RequestError: None is meant, or several are.
        """
        return find_run(self.runs(), name)

    def state(self, run: SubmittedRun) -> RunState:
        """What became of a run."""
        client = self._clients[run.carrier.backend]
        return run.carrier.state(run.object, client.pods(run.name), client.events())

    def states(self) -> list[RunState]:
        """What became of all runs, the newest first."""
        runs = self.runs()
        if not runs:
            return []
        client = self._clients[runs[0].carrier.backend]
        pods, events = client.pods(), client.events()
        found = [(run, [pod for pod in pods if _carries(run, pod)]) for run in runs]
        states = [run.carrier.state(run.object, its_pods, events) for run, its_pods in found]
        return sorted(states, key=lambda state: (state.created, state.name), reverse=True)


def _carries(run: SubmittedRun, pod: Object) -> bool:
    return (pod["metadata"].get("labels") or {}).get(run.carrier.pod_label) == run.name
