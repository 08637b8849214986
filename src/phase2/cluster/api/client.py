"""Client for the objects of one backend in a namespace: create, read, watch, stop, delete, and their pods' logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from phase2.cluster.api.connection import Connection
from phase2.cluster.api.errors import ObjectGoneError, response_error
from phase2.cluster.api.identity import read_user_name
from phase2.cluster.backends.base import RunBackend
from phase2.cluster.labels import COMPONENT_LABEL, NAME_LABEL, OWNER_ANNOTATION
from phase2.cluster.objects import Object, name_of

ALL_NAMESPACES = ""
"""Namespace of a client that only lists: it lists those of all namespaces, as in Kubernetes' own clients."""

_SELECTOR = f"{NAME_LABEL}=phase2,{COMPONENT_LABEL}=training"
# The server ends a watch after this time, so that a connection that broke silently is noticed.
_WATCH_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Change:
    """Change of a watched object.

    Attributes:
        object: The object after the change.
        is_deleted: Whether it was deleted.
    """

    object: Object
    is_deleted: bool


class RunClient:
    """Client for the runs of one backend in one namespace.

    Args:
        connection: Connection to the cluster.
        namespace: The namespace, or ``ALL_NAMESPACES``.
        backend: The backend.

    Attributes:
        namespace: The namespace.
        server: Address of the API server.
        backend: The backend.
    """

    def __init__(self, connection: Connection, namespace: str, backend: RunBackend) -> None:
        self.namespace = namespace
        self.server = connection.server
        self.backend = backend
        self._connection = connection
        scope = f"/namespaces/{namespace}" if namespace else ""
        self._where = f"in the namespace {namespace}" if namespace else "in all namespaces"
        self._objects = f"{backend.group}{scope}/{backend.plural}"
        self._core = f"/api/v1{scope}"

    def create(self, manifest: Object, *, dry_run: bool = False) -> Object:
        """Create an object; an annotation says whose it is.

        Raises:
            ObjectConflictError: An object of this name exists.
            ObjectGoneError: The cluster does not know this kind.
            RequestError: The server rejects it.
            TransientError: The server does not answer.
        """
        query = {"fieldManager": "phase2", "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        action = f"create the {self.backend.kind} {name_of(manifest)} {self._where}"
        return self._connection.request("POST", self._objects, action=action, query=query, body=self._owned(manifest))

    def _owned(self, manifest: Object) -> dict[str, Any]:
        """Return an object with its owner, whom the server may correct."""
        if self._user is None:
            return dict(manifest)
        metadata = manifest["metadata"]
        annotations = {**(metadata.get("annotations") or {}), OWNER_ANNOTATION: self._user}
        return {**manifest, "metadata": {**metadata, "annotations": annotations}}

    @cached_property
    def _user(self) -> str | None:
        return read_user_name(self._connection)

    def get(self, name: str) -> Object | None:
        """Read an object; None if there is none of this name."""
        action = f"read the {self.backend.kind} {name}"
        try:
            return self._connection.request("GET", f"{self._objects}/{name}", action=action)
        except ObjectGoneError:
            return None

    def is_known(self) -> bool:
        """Whether the cluster knows this kind; every user may ask."""
        try:
            found = self._connection.request("GET", self.backend.group, action=f"look for {self.backend.plural}")
        except ObjectGoneError:
            return False
        return any(each.get("name") == self.backend.plural for each in found.get("resources") or ())

    def get_sibling(self, plural: str, name: str) -> Object | None:
        """Read an object of another kind of the same API group; None if there is none, or no such kind.

        Raises:
            ForbiddenError: It may not be read.
        """
        path = f"{self.backend.group}/namespaces/{self.namespace}/{plural}/{name}"
        try:
            return self._connection.request("GET", path, action=f"read {name} of the {plural}")
        except ObjectGoneError:
            return None

    def get_service(self, name: str) -> Object | None:
        """Read a Service of the namespace; None if there is none.

        Raises:
            ForbiddenError: It may not be read.
        """
        try:
            return self._connection.request("GET", f"{self._core}/services/{name}", action=f"read the Service {name}")
        except ObjectGoneError:
            return None

    def objects(self) -> list[Object]:
        """List the objects of all runs.

        Raises:
            ObjectGoneError: The cluster does not know this kind.
            ForbiddenError: They may not be listed.
        """
        action = f"list {self.backend.plural} {self._where}"
        if self.backend.are_labelled:
            return self._list(self._objects, action, {"labelSelector": _SELECTOR})
        return [obj for obj in self._list(self._objects, action, {}) if self.backend.owns(obj)]

    def pods(self, name: str | None = None) -> list[Object]:
        """List the pods of an object, or of all runs."""
        selector = _SELECTOR if name is None else f"{self.backend.pod_label}={name}"
        return self._list(f"{self._core}/pods", f"list pods {self._where}", {"labelSelector": selector})

    def events(self) -> list[Object]:
        """List the recent events."""
        return self._list(f"{self._core}/events", f"list events {self._where}", {})

    def watch(self, name: str, *, since: str | None = None) -> Iterator[Change]:
        """Yield an object now and whenever it changes, for some minutes.

        Args:
            name: Name of the object.
            since: Resource version after which to start; None also yields the object as it is now.
        """
        query = {"fieldSelector": f"metadata.name={name}"} | ({} if since is None else {"resourceVersion": since})
        yield from self._watch(self._objects, query, f"watch the {self.backend.kind} {name}")

    def watch_pods(self, name: str) -> Iterator[Change]:
        """Yield each pod of an object now and whenever it changes, for some minutes."""
        query = {"labelSelector": f"{self.backend.pod_label}={name}"}
        action = f"watch the pods of the {self.backend.kind} {name}"
        yield from self._watch(f"{self._core}/pods", query, action)

    def log(self, pod: str, *, tail: int | None = None, timestamps: bool = False) -> str:
        """Read the log of a pod so far, or its last lines; with ``timestamps``, each after its time."""
        query = {"container": self.backend.container} | ({} if tail is None else {"tailLines": str(tail)})
        query |= {"timestamps": "true"} if timestamps else {}
        return self._connection.text(
            f"{self._core}/pods/{pod}/log", action=f"read the log of the pod {pod}", query=query
        )

    def follow_log(self, pod: str, *, since: str | None = None) -> Iterator[str]:
        """Yield the lines of a pod's log as they are printed, each after its timestamp, until the pod ends.

        Args:
            pod: Name of the pod.
            since: Time of the first line (RFC 3339); None starts at the beginning.
        """
        query = {"container": self.backend.container, "follow": "true", "timestamps": "true"}
        if since is not None:
            query["sinceTime"] = since
        yield from self._connection.lines(
            f"{self._core}/pods/{pod}/log", action=f"follow the log of the pod {pod}", query=query
        )

    def stop(self, name: str) -> Object:
        """Stop an object and keep it; its pods get SIGTERM and their grace period."""
        return self._connection.request(
            "PATCH",
            f"{self._objects}/{name}",
            action=f"stop the {self.backend.kind} {name}",
            body=dict(self.backend.stop_patch(datetime.now(UTC))),
            content_type="application/merge-patch+json",
        )

    def delete(self, name: str) -> None:
        """Delete an object and its pods, which get SIGTERM and their grace period."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        action = f"delete the {self.backend.kind} {name}"
        self._connection.request("DELETE", f"{self._objects}/{name}", action=action, body=body)

    def _list(self, path: str, action: str, query: dict[str, str]) -> list[Object]:
        items: list[Object] = []
        while True:
            page = self._connection.request("GET", path, action=action, query={"limit": "500", **query})
            items += page.get("items") or []
            following = page["metadata"].get("continue")
            if not following:
                return items
            query = {**query, "continue": following}

    def _watch(self, path: str, query: dict[str, str], action: str) -> Iterator[Change]:
        seconds = str(_WATCH_SECONDS)
        lines = self._connection.lines(
            path,
            action=action,
            query={**query, "watch": "true", "timeoutSeconds": seconds},
            silence=_WATCH_SECONDS + 30.0,
        )
        for line in lines:
            event: dict[str, Any] = json.loads(line)
            if event["type"] == "ERROR":
                found = event["object"]
                code, body = int(found.get("code", 500)), json.dumps(found).encode()
                raise response_error(code, body, action=action, server=self.server)
            yield Change(event["object"], is_deleted=event["type"] == "DELETED")
