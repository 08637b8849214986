"""The images of the cluster: the sandbox, MinIO, a Python to build on, and the one that trains."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.on_cluster.lab.building import builds, registry
from tests.on_cluster.lab.building.buildah import Buildah
from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import addresses
from tests.on_cluster.lab.node.leftovers import ctr
from tests.on_cluster.lab.timings import step

from phase2.testing.stores.s3_servers import MINIO_VERSION, minio_program

PROJECT = Path(__file__).parents[4]
SUITE = "trixie"
_PYTHON = "python3,python3-venv,libpython3-dev,ca-certificates"
"""Packages of the base; the headers of Python are for the part of Triton that the Dockerfile compiles."""
_BASE = f"{SUITE}-{hashlib.sha256(_PYTHON.encode()).hexdigest()[:8]}"
_SOURCES = ["Dockerfile", ".dockerignore", "pyproject.toml", "README.md", "LICENSE", "constraints", "scripts", "src"]


def pause_image(folders: Folders) -> str:
    """The image of a pod's sandbox."""
    return _of_one_program(folders, "pause", "1", lambda: builds.pause(folders))


def minio_image(folders: Folders) -> str:
    """MinIO on an empty base."""
    return _of_one_program(folders, "minio", MINIO_VERSION, minio_program)


def argo_executor_image(folders: Folders) -> str:
    """Argo's executor on an empty base."""
    return _of_one_program(folders, "argoexec", builds.ARGO, lambda: builds.argo_executor(folders))


def _of_one_program(folders: Folders, name: str, tag: str, program: Callable[[], Path]) -> str:
    digest = registry.digest_of(name, tag)
    if digest:
        return f"{addresses.REGISTRY}/{name}@{digest}"
    with step(f"image {name}"), tempfile.TemporaryDirectory(dir=folders.root) as context:
        shutil.copy(program(), Path(context) / name)
        dockerfile = f'FROM scratch\nCOPY {name} /bin/{name}\nENTRYPOINT ["/bin/{name}"]\n'
        (Path(context) / "Dockerfile").write_text(dockerfile)
        return Buildah(folders).build(name, tag, Path(context))


def base_image(folders: Folders) -> str:
    """Build Debian with Python from packages: no external registry is needed."""
    digest = registry.digest_of("python-base", _BASE)
    if digest:
        return f"{addresses.REGISTRY}/python-base@{digest}"
    with step(f"image python-base: Debian {SUITE}"), tempfile.TemporaryDirectory(dir=folders.root) as context:
        root = Path(context) / "root"
        words = ["--variant=minbase", f"--include={_PYTHON}", SUITE, str(root)]
        subprocess.run(["debootstrap", *words], check=True, capture_output=True)
        for archive in (root / "var/cache/apt/archives").glob("*.deb"):
            archive.unlink()
        dockerfile = "FROM scratch\nCOPY root /\nENV LANG=C.UTF-8\n"
        (Path(context) / "Dockerfile").write_text(dockerfile)
        return Buildah(folders).build("python-base", _BASE, Path(context))


def phase2_image(folders: Folders) -> str:
    """The image that trains, of the sources as they are now.

    Returns:
        Its name at its digest.
    """
    tag = _digest_of_sources()
    digest = registry.digest_of("phase2", tag)
    if digest:
        return f"{addresses.REGISTRY}/phase2@{digest}"
    base = base_image(folders)
    with step("image phase2"):
        arguments = ["--build-arg", f"BASE_IMAGE={base}", "--build-arg", f"REVISION={tag}"]
        return Buildah(folders).build("phase2", tag, PROJECT, *arguments)


def is_on_node(folders: Folders, image: str) -> bool:
    """Whether the node has an image."""
    return image in ctr(folders, "images", "list", "--quiet").stdout.split()


def leave_on_node(folders: Folders, image: str) -> None:
    """Remove the other images of an image's name from the node; layers that it shares with them stay."""
    name = image.partition("@")[0]
    listed = ctr(folders, "images", "list", "--quiet").stdout.split()
    others = [each for each in listed if each.startswith((f"{name}@", f"{name}:")) and each != image]
    if others:
        ctr(folders, "images", "remove", *others)


def _digest_of_sources() -> str:
    """Return a digest of the sources of the image."""
    digest = hashlib.sha256()
    for source in _SOURCES:
        path = PROJECT / source
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(PROJECT)}\0{file.stat().st_size}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
