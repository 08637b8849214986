"""The runs of a namespace, or of all namespaces, over all backends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.connection import Connection
from phase2.cluster.api.errors import ForbiddenError, ObjectGoneError
from phase2.cluster.backends.base import BackendName, RunBackend
from phase2.cluster.backends.registry import CLUSTER_BACKENDS
from phase2.cluster.lookup import find_submitted
from phase2.cluster.objects import Object, name_of, namespace_of
from phase2.cluster.run_state import RunState
from phase2.cluster.status.identity import RunIdentity, shared_identities
from phase2.errors import RequestError


@dataclass(frozen=True, slots=True)
class SubmittedRun:
    """An object found in the cluster, and the run that it executes.

    Attributes:
        backend: Backend that executes it.
        object: The object that executes it.
        known: The run, as far as all objects of the namespace record it; None takes what the object itself records.
    """

    backend: RunBackend
    object: Object
    known: RunIdentity | None = None

    @property
    def identity(self) -> RunIdentity:
        """The run."""
        return self.known or self.backend.identity(self.object)

    @property
    def run_id(self) -> str:
        """Id of the run."""
        return self.identity.run_id

    @property
    def name(self) -> str:
        """Name of the object."""
        return name_of(self.object)

    @property
    def namespace(self) -> str:
        """Namespace of the object."""
        return namespace_of(self.object)

    @property
    def created(self) -> str:
        """Creation time of the object, as the server writes it; "" if it was not created yet."""
        return str(self.object["metadata"].get("creationTimestamp") or "")

    def state(self, pods: Sequence[Object], events: Sequence[Object]) -> RunState:
        """Return the state of the run.

        Args:
            pods: The pods of the object.
            events: Events of its namespace.
        """
        identity, found = self.identity, self.backend.state(self.object, pods, events)
        return replace(
            found,
            run_id=identity.run_id,
            algorithm=identity.algorithm or "-",
            mode=identity.mode or "-",
            command=identity.command,
        )

    def owns(self, pod: Object) -> bool:
        """Whether a pod is one of the object."""
        label = (pod["metadata"].get("labels") or {}).get(self.backend.pod_label)
        return label == self.name and namespace_of(pod) == self.namespace


class Cluster:
    """One namespace of a cluster, with a client for each backend.

    Args:
        connection: Connection to the cluster.
        namespace: The namespace, or ``ALL_NAMESPACES`` to list runs.

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
        """List all objects that execute runs, the newest first: several of them may execute one run in turn.

        A kind that the cluster does not know, or that may not be listed, is skipped.

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
        return _with_shared_identities(found)

    def find(self, name: str) -> SubmittedRun:
        """Find the newest object of a run by the run's id, the name of any of its objects, or a unique prefix.

        Raises:
            RequestError: No run matches, or several do.
        """
        runs = self.runs()
        found = find_submitted(runs, name)
        same_run = [run for run in runs if run.run_id == found.run_id]
        namespaces = sorted({run.namespace for run in same_run})
        if len(namespaces) > 1:
            raise RequestError(
                f"The run '{found.run_id}' is in several namespaces.",
                why=f"They are {', '.join(namespaces)}.",
                fix="Name one with -n NAMESPACE.",
            )
        return same_run[0]

    def state(self, run: SubmittedRun) -> RunState:
        """Return the state of a run."""
        pods = self._clients[run.backend.name].pods(run.name)
        return run.state([pod for pod in pods if run.owns(pod)], self._events())

    def states(self) -> list[RunState]:
        """Return the states of all runs, newest first: of each run that of its newest object."""
        runs = newest_of_each(self.runs())
        if not runs:
            return []
        pods, events = self._clients[runs[0].backend.name].pods(), self._events()
        return [run.state([pod for pod in pods if run.owns(pod)], events) for run in runs]

    def _events(self) -> list[Object]:
        """List the recent events; without the right to read them, messages are less specific."""
        with suppress(ForbiddenError):
            return next(iter(self._clients.values())).events()
        return []


def newest_of_each(runs: Sequence[SubmittedRun]) -> list[SubmittedRun]:
    """Return the newest object of each run.

    Args:
        runs: Objects, the newest first.
    """
    found: dict[tuple[str, str], SubmittedRun] = {}
    for run in runs:
        found.setdefault((run.namespace, run.run_id), run)
    return list(found.values())


def _with_shared_identities(runs: Sequence[SubmittedRun]) -> list[SubmittedRun]:
    """Complete each identity by those of the same namespace; the newest object comes first."""
    completed: list[SubmittedRun] = []
    for _, group in groupby(sorted(runs, key=lambda run: run.namespace), key=lambda run: run.namespace):
        same_namespace = _newest_first(list(group))
        shared = shared_identities([run.identity for run in same_namespace])
        completed += [replace(run, known=identity) for run, identity in zip(same_namespace, shared, strict=True)]
    return _newest_first(completed)


def _newest_first(runs: Sequence[SubmittedRun]) -> list[SubmittedRun]:
    return sorted(runs, key=lambda run: (run.created, run.name), reverse=True)
