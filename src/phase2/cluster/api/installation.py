"""Reading what an installation gives to the runs of a namespace."""

from __future__ import annotations

from phase2.cluster.api.connection import Connection
from phase2.cluster.api.errors import ObjectGoneError
from phase2.cluster.request.installation import CONFIG_MAP, Installation


def read_installation(connection: Connection, namespace: str) -> Installation:
    """Read the ConfigMap ``phase2-runs`` of a namespace; a namespace without it gives nothing.

    Raises:
        ForbiddenError: It may not be read.
        RequestError: Its content is invalid.
        TransientError: The server does not answer.
    """
    path = f"/api/v1/namespaces/{namespace}/configmaps/{CONFIG_MAP}"
    try:
        found = connection.request("GET", path, action=f"read the ConfigMap {CONFIG_MAP}")
    except ObjectGoneError:
        return Installation()
    return Installation.parse(found.get("data") or {})
