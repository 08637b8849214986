"""What the pods of a transfer take from the installation of a namespace."""

from __future__ import annotations

from dataclasses import dataclass

from phase2.cluster.api.connection import Connection
from phase2.cluster.api.errors import ObjectGoneError
from phase2.cluster.request.image import Image
from phase2.cluster.request.resources import STORE_SECRET
from phase2.config.settings import IMAGE_VARIABLE, image_reference
from phase2.errors import RequestError

RUNS_CONFIG_MAP = "phase2-runs"


@dataclass(frozen=True, slots=True)
class TransferSource:
    """Image and access to the store of the pods.

    Attributes:
        image: Reference of the container image.
        secret: Secret with the access keys of the store.
        store: Address of the store; None is that of the namespace.
    """

    image: str
    secret: str = STORE_SECRET
    store: str | None = None


def transfer_source(connection: Connection, namespace: str, *, store: str | None = None) -> TransferSource:
    """Return what the pods of a transfer have.

    Args:
        connection: Connection to the cluster.
        namespace: Namespace of the installation.
        store: Address of the store; None is that of the namespace.

    Raises:
        RequestError: No image is known, or it is invalid.
        TransientError: The server does not answer.
    """
    given = _installed(connection, namespace)
    named = image_reference() or given.get("image")
    if not named:
        raise RequestError(
            "No container image is named.",
            why=f"The ConfigMap {RUNS_CONFIG_MAP} of the namespace {namespace} names none.",
            fix=f"Set {IMAGE_VARIABLE}.",
        )
    return TransferSource(Image.parse(named).reference, given.get("store-secret") or STORE_SECRET, store)


def _installed(connection: Connection, namespace: str) -> dict[str, str]:
    path = f"/api/v1/namespaces/{namespace}/configmaps/{RUNS_CONFIG_MAP}"
    try:
        found = connection.request("GET", path, action=f"read the ConfigMap {RUNS_CONFIG_MAP}")
    except ObjectGoneError:
        return {}
    return dict(found.get("data") or {})
