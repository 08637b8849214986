"""What carries the runs of a namespace: create, read, watch, stop, delete, and the logs of their pods."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from phase2.cluster.api.connection import Connection
from phase2.cluster.api.refusals import ObjectGoneError, refusal
from phase2.cluster.backend import Carrier
from phase2.cluster.labels import COMPONENT_LABEL, NAME_LABEL
from phase2.cluster.objects import Object, name_of

_OURS = f"{NAME_LABEL}=phase2,{COMPONENT_LABEL}=training"
# Watches end by themselves after this time, so that one that is broken without a sign is noticed.
_WATCH_SECONDS = 240


@dataclass(frozen=True, slots=True)
class Change:
    """An object that was watched, as it is now.

    Attributes:
        object: The object.
        is_deleted: Whether it is gone.
    """

    object: Object
    is_deleted: bool


class RunClient:
    """Works on the objects of one kind that carry runs, in one namespace.

    Args:
        connection: The way to the cluster.
        namespace: The namespace.
        carrier: The kind.

    Attributes:
        namespace: The namespace.
        server: Address of the API server.
        carrier: The kind.
    """

    def __init__(self, connection: Connection, namespace: str, carrier: Carrier) -> None:
        self.namespace = namespace
        self.server = connection.server
        self.carrier = carrier
        self._connection = connection
        self._objects = f"{carrier.group}/namespaces/{namespace}/{carrier.plural}"
        self._core = f"/api/v1/namespaces/{namespace}"

    def create(self, manifest: Object, *, dry_run: bool = False) -> Object:
        """Create an object.

        Raises:
            ObjectConflictError: There is one of that name.
            ObjectGoneError: The cluster does not know this kind.
            RequestError: The server refuses it.
            TransientError: The server does not answer.
        """
        query = {"fieldManager": "phase2", "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        action = f"create the {self.carrier.kind} {name_of(manifest)} in the namespace {self.namespace}"
        return self._connection.request("POST", self._objects, action=action, query=query, body=dict(manifest))

    def get(self, name: str) -> Object | None:
        """Read an object; None where there is none of that name."""
        action = f"read the {self.carrier.kind} {name}"
        try:
            return self._connection.request("GET", f"{self._objects}/{name}", action=action)
        except ObjectGoneError:
            return None

    def is_known(self) -> bool:
        """Whether the cluster knows this kind; that may be asked by everybody."""
        try:
            found = self._connection.request("GET", self.carrier.group, action=f"look for {self.carrier.plural}")
        except ObjectGoneError:
            return False
        return any(one.get("name") == self.carrier.plural for one in found.get("resources") or ())

    def beside(self, plural: str, name: str) -> Object | None:
        """Read an object of another kind of the same group; None where there is none, or no such kind.

        Raises:
            ForbiddenError: It may not be read.
        """
        path = f"{self.carrier.group}/namespaces/{self.namespace}/{plural}/{name}"
        try:
            return self._connection.request("GET", path, action=f"read {name} of the {plural}")
        except ObjectGoneError:
            return None

    def objects(self) -> list[Object]:
        """Read all of them.

        Raises:
            ObjectGoneError: The cluster does not know this kind.
            ForbiddenError: They may not be listed.
        """
        action = f"list {self.carrier.plural} in the namespace {self.namespace}"
        return self._list(self._objects, action, {"labelSelector": _OURS})

    def pods(self, name: str | None = None) -> list[Object]:
        """Read the pods of an object, or those of all."""
        selector = _OURS if name is None else f"{self.carrier.pod_label}={name}"
        return self._list(
            f"{self._core}/pods", f"list pods in the namespace {self.namespace}", {"labelSelector": selector}
        )

    def events(self) -> list[Object]:
        """Read what was noticed in the namespace lately."""
        action = f"list events in the namespace {self.namespace}"
        return self._list(f"{self._core}/events", action, {})

    def watch(self, name: str, *, since: str | None = None) -> Iterator[Change]:
        """Yield an object now and whenever it changes, for some minutes.

        Args:
            name: Its name.
            since: Its resource version to begin after; None also yields it as it is now.
        """
        query = {"fieldSelector": f"metadata.name={name}"} | ({} if since is None else {"resourceVersion": since})
        yield from self._watch(self._objects, query, f"watch the {self.carrier.kind} {name}")

    def watch_pods(self, name: str) -> Iterator[Change]:
        """Yield each pod of an object now and whenever it changes, for some minutes."""
        query = {"labelSelector": f"{self.carrier.pod_label}={name}"}
        action = f"watch the pods of the {self.carrier.kind} {name}"
        yield from self._watch(f"{self._core}/pods", query, action)

    def log(self, pod: str, *, tail: int | None = None) -> str:
        """Read what a pod has printed so far."""
        query = {"container": self.carrier.container} | ({} if tail is None else {"tailLines": str(tail)})
        return self._connection.text(
            f"{self._core}/pods/{pod}/log", action=f"read the log of the pod {pod}", query=query
        )

    def follow_log(self, pod: str, *, since: str | None = None) -> Iterator[str]:
        """Yield what a pod prints, each line with its time in front, until it ends.

        Args:
            pod: Name of the pod.
            since: Time of the first line (RFC 3339); None is from the beginning.
        """
        query = {"container": self.carrier.container, "follow": "true", "timestamps": "true"}
        if since is not None:
            query["sinceTime"] = since
        yield from self._connection.lines(
            f"{self._core}/pods/{pod}/log", action=f"follow the log of the pod {pod}", query=query
        )

    def stop(self, name: str) -> Object:
        """End an object so that its pods get SIGTERM and their grace, and it stays to be looked at."""
        return self._connection.request(
            "PATCH",
            f"{self._objects}/{name}",
            action=f"stop the {self.carrier.kind} {name}",
            body=dict(self.carrier.stop_patch(datetime.now(UTC))),
            content_type="application/merge-patch+json",
        )

    def delete(self, name: str) -> None:
        """Delete an object and its pods, which get SIGTERM and their grace."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        action = f"delete the {self.carrier.kind} {name}"
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
                raise refusal(code, body, action=action, server=self.server)
            yield Change(event["object"], is_deleted=event["type"] == "DELETED")
