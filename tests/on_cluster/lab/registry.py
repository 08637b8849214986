"""The image registry on loopback: images have real digests, and only layers that changed travel to the node."""

import urllib.error
import urllib.request

from tests.on_cluster.lab import addresses
from tests.on_cluster.lab.folders import Folders

_URL = f"http://{addresses.REGISTRY}/v2/"
_MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"


def answers() -> bool:
    """Whether the registry is up."""
    try:
        with urllib.request.urlopen(_URL, timeout=2) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def digest_of(name: str, tag: str) -> str | None:
    """Digest of an image, by its tag; None when the registry has none."""
    request = urllib.request.Request(f"{_URL}{name}/manifests/{tag}", headers={"Accept": _MANIFESTS}, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return str(response.headers["Docker-Content-Digest"])
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def size(folders: Folders) -> int:
    """Bytes that the registry keeps."""
    return sum(file.stat().st_size for file in folders.registry.rglob("data") if file.is_file())
