"""Builds images without a Docker engine and pushes them to the registry on loopback."""

import json
import os
import subprocess
from pathlib import Path

from tests.on_cluster.lab.building import registry
from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import addresses

_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


class BuildFailedError(RuntimeError):
    """An image could not be built or pushed."""


class Buildah:
    """buildah with its storage in the cluster's cache."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def build(self, name: str, tag: str, context: Path, *words: str) -> str:
        """Build a folder's Dockerfile, or the one that ``words`` name, and push it.

        Returns:
            The image's name at its digest.
        """
        image = f"{addresses.REGISTRY}/{name}:{tag}"
        self.run("bud", "--layers", "--tls-verify=false", *self._mounts(), "--tag", image, *words, str(context))
        return self.push(name, tag)

    def push(self, name: str, tag: str) -> str:
        image = f"{addresses.REGISTRY}/{name}:{tag}"
        # Fast compression: the registry is on this machine, so time counts and size does not.
        fast = ["--compression-format", "zstd", "--compression-level", "1"]
        self.run("push", "--tls-verify=false", *fast, image, f"docker://{image}")
        return f"{addresses.REGISTRY}/{name}@{registry.digest_of(name, tag)}"

    def run(self, command: str, *words: str) -> str:
        """Run one command of buildah."""
        storage = [f"--root={self._folders.layers}/images", f"--runroot={self._folders.layers}/run"]
        environment = os.environ | {"BUILDAH_ISOLATION": "chroot", "TMPDIR": str(self._temporary())}
        done = subprocess.run(
            ["buildah", *storage, "--storage-driver=overlay", command, *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BuildFailedError(f"buildah {command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
        return done.stdout.strip()

    def _temporary(self) -> Path:
        """A folder on the disk of the layers: /tmp may be memory, and a layer has gigabytes."""
        folder = self._folders.layers / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _mounts(self) -> list[str]:
        """The host's certificates and package index, there while a command runs and in no layer."""
        files = {"pip.conf": _pip_settings(), "uv.toml": _uv_settings()}
        bundle = Path(os.environ.get("SSL_CERT_FILE") or _CERTIFICATES)
        mounts = ["--secret", f"id=ca,src={bundle}"] if bundle.is_file() else []
        for name, place in (("pip.conf", "/etc/pip.conf"), ("uv.toml", "/etc/uv/uv.toml")):
            if files[name]:
                settings = self._temporary() / name
                settings.write_text(files[name])
                mounts.append(f"--volume={settings}:{place}:ro")
        return mounts


def _pip_settings() -> str:
    index = os.environ.get("PIP_INDEX_URL")
    return f"[global]\nindex-url = {index}\n" if index else ""


def _uv_settings() -> str:
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL") or os.environ.get("PIP_INDEX_URL")
    return f"[[index]]\nurl = {json.dumps(index)}\ndefault = true\n" if index else ""
