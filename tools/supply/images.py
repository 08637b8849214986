"""The images of others that the project names, and every reference to an image in its files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.generated import ROOT
from tools.manifests.argo import version

OWN = ("phase2", "localhost/phase2", "registry.example.com/phase2", "registry.example.org/phase2")
"""Names of the project's own image; who installs it says where it is."""


@dataclass(frozen=True)
class ForeignImage:
    """An image that others build.

    Args:
        name: Repository and tag.
        digest: Digest of its index over all platforms; empty where none is known.
        purpose: What it is for.
        needed: Where an offline cluster needs it.
    """

    name: str
    digest: str
    purpose: str
    needed: str

    @property
    def reference(self) -> str:
        """Name with the digest, where there is one."""
        return f"{self.name}@{self.digest}" if self.digest else self.name


PYTHON = ForeignImage(
    "docker.io/library/python:3.13.11-slim-trixie",
    "sha256:2b9c9803c6a287cafa0a8c917211dddd23dcd2016f049690ee5219f5d3f1636e",
    "base of the image that trains",
    "to build the image there",
)
MINIO = ForeignImage(
    "docker.io/minio/minio:RELEASE.2025-09-07T16-13-09Z",
    "sha256:14cea493d9a34af32f524e538b8346cf79f3321eff8e708c1e2960462bd8936e",
    "local store for tests",
    "with minio.enabled",
)
# No registry could be asked for their digests, and no public page was found that gives them.
ARGO = tuple(
    ForeignImage(f"quay.io/argoproj/{name}:v{version.TESTED}", "", purpose, "with argo.enabled")
    for name, purpose in (
        ("workflow-controller", "Argo's controller"),
        ("argoexec", "Argo's executor, in every pod of a workflow"),
        ("argocli", "Argo's server and command line"),
    )
)
FOREIGN = (PYTHON, MINIO, *ARGO)

_PLACES = ("Dockerfile", "charts", "k8s", "argo", "docs/how-to", "docs/examples", "README.md", "scripts", ".github")
_REGISTRY = r"(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?/)"
_REFERENCE = re.compile(
    r"""(?:\b(?:image:|BASE_IMAGE=|FROM)[ ]*["']?(?P<given>[a-z0-9][a-z0-9._/-]*(?::[A-Za-z0-9._-]+)?(?:@[a-z0-9:.]+)?)
    |(?P<named>(?:docker\.io|quay\.io|ghcr\.io|registry\.k8s\.io|gcr\.io)/[a-z0-9._/-]+(?::[A-Za-z0-9._-]+)?(?:@[a-z0-9:.]+)?))""",
    re.VERBOSE,
)


def references(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Yield every image that a file of the project names, with the file."""
    for place in _PLACES:
        path = root / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix not in (".png", ".ipynb", ".tgz"):
                for found in _REFERENCE.finditer(file.read_text(encoding="utf-8")):
                    yield str(file.relative_to(root)), found["given"] or found["named"]
