"""What the pods of a transfer take from the installation of a namespace."""

from __future__ import annotations

from dataclasses import dataclass, field

from phase2.cluster.api.connection import Connection
from phase2.cluster.api.installation import read_installation
from phase2.cluster.request.common_metadata import CommonMetadata
from phase2.cluster.request.image import Image
from phase2.cluster.request.installation import CONFIG_MAP
from phase2.cluster.request.resources import STORE_SECRET
from phase2.config.settings import IMAGE_VARIABLE, image_reference
from phase2.errors import RequestError


@dataclass(frozen=True, slots=True)
class TransferSource:
    """Image and access to the store of the pods.

    Attributes:
        image: Reference of the container image.
        secret: Secret with the access keys of the store.
        store: Address of the store; None is that of the namespace.
        common: Labels and annotations of all objects of the installation.
    """

    image: str
    secret: str = STORE_SECRET
    store: str | None = None
    common: CommonMetadata = field(default_factory=CommonMetadata)


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
    installation = read_installation(connection, namespace)
    named = image_reference() or installation.image
    if not named:
        raise RequestError(
            "No container image is named.",
            why=f"The ConfigMap {CONFIG_MAP} of the namespace {namespace} names none.",
            fix=f"Set {IMAGE_VARIABLE}.",
        )
    secret = installation.store_secret or STORE_SECRET
    return TransferSource(Image.parse(named).reference, secret, store, installation.common)
