"""Reading the objects of a namespace."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from phase2.cluster.api.connection import Connection
from phase2.cluster.api.errors import ObjectGoneError
from phase2.cluster.objects import Object
from phase2.cluster.request.installation import CONFIG_MAP

CORE, APPS, BATCH = "/api/v1", "/apis/apps/v1", "/apis/batch/v1"
ARGO, STORAGE = "/apis/argoproj.io/v1alpha1", "/apis/storage.k8s.io/v1"
ADMISSION, AUTHORIZATION = "/apis/admissionregistration.k8s.io/v1", "/apis/authorization.k8s.io/v1"


class NamespaceReader:
    """Reader of the objects of one namespace, and of what the cluster has beside them.

    Args:
        connection: Connection to the cluster.
        namespace: The namespace.

    Attributes:
        namespace: The namespace.
        server: Address of the API server.
    """

    def __init__(self, connection: Connection, namespace: str) -> None:
        self.namespace = namespace
        self.server = connection.server
        self._connection = connection

    def get(self, group: str, plural: str, name: str, *, cluster: bool = False) -> Object | None:
        """Read an object; None if there is none, or the cluster does not know the kind.

        Args:
            group: Path of the API group and version.
            plural: Plural of the kind.
            name: Name of the object.
            cluster: Whether it is in no namespace.

        Raises:
            ForbiddenError: It may not be read.
            TransientError: The server does not answer.
        """
        path = f"{self._path(group, cluster=cluster)}/{plural}/{name}"
        try:
            return self._connection.request("GET", path, action=f"read {name} of the {plural}")
        except ObjectGoneError:
            return None

    @cached_property
    def runs_config(self) -> Object | None:
        """The ConfigMap with what the installation gives to runs; None without one. Raises as :meth:`get` does."""
        return self.get(CORE, "configmaps", CONFIG_MAP)

    def items(
        self, group: str, plural: str, *, cluster: bool = False, selector: str | None = None
    ) -> list[Object] | None:
        """List objects; None if the cluster does not know the kind. Raises as :meth:`get` does."""
        query = {"limit": "500"} | ({} if selector is None else {"labelSelector": selector})
        path = f"{self._path(group, cluster=cluster)}/{plural}"
        try:
            found = self._connection.request("GET", path, action=f"list {plural}", query=query)
        except ObjectGoneError:
            return None
        return list(found.get("items") or ())

    def knows(self, group: str) -> bool:
        """Whether the cluster has an API group; every user may ask."""
        try:
            self._connection.request("GET", group, action=f"look for {group}")
        except ObjectGoneError:
            return False
        return True

    def may(self, verb: str, group: str, resource: str, part: str = "") -> bool:
        """Whether this user may do something in the namespace; every user may ask."""
        attributes = {"verb": verb, "group": group, "resource": resource, "subresource": part}
        body: dict[str, Any] = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {"namespace": self.namespace, **attributes}},
        }
        path = f"{AUTHORIZATION}/selfsubjectaccessreviews"
        review = self._connection.request("POST", path, action="ask what you may do", body=body)
        return bool(review["status"]["allowed"])

    def _path(self, group: str, *, cluster: bool) -> str:
        return group if cluster else f"{group}/namespaces/{self.namespace}"
