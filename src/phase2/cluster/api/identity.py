"""The name by which a cluster knows the user."""

from __future__ import annotations

from phase2.cluster.api.connection import Connection
from phase2.cluster.api.errors import ForbiddenError, ObjectGoneError

_PATH = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def read_user_name(connection: Connection) -> str | None:
    """Return the user's name; None if the cluster does not say it.

    Raises:
        TransientError: The server does not answer.
    """
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        answer = connection.request("POST", _PATH, action="ask who you are", body=review)
    except (ForbiddenError, ObjectGoneError):  # an older Kubernetes, or one that withholds it
        return None
    found = ((answer.get("status") or {}).get("userInfo") or {}).get("username")
    return str(found) if found else None
