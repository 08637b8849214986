"""The image registry on loopback: images have real digests, and only changed layers are transferred to the node."""

import urllib.error
import urllib.request

from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import addresses

_URL = f"http://{addresses.REGISTRY}/v2/"
_MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


def answers() -> bool:
    """Whether the registry responds."""
    try:
        with urllib.request.urlopen(_URL, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def digest_of(name: str, tag: str) -> str | None:
    """Return the digest of an image tag; None if the registry does not have it."""
    request = urllib.request.Request(f"{_URL}{name}/manifests/{tag}", headers={"Accept": _MANIFESTS}, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return str(response.headers["Docker-Content-Digest"])
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def size(folders: Folders) -> int:
    """Return the size of the registry in bytes."""
    return sum(file.stat().st_size for file in folders.registry.rglob("data") if file.is_file())
