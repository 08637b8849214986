"""Folders of the cluster: build outputs, and the state of a running cluster."""

import os
from dataclasses import dataclass
from pathlib import Path

from phase2.config.settings import cache_dir


@dataclass(frozen=True)
class Folders:
    """Folders below one root.

    ``state`` is deleted when the cluster goes down. Programs, the registry, the layers of the image builds and the
    images of the node stay, so that the next cluster neither builds nor pulls what has not changed.
    """

    root: Path

    @classmethod
    def default(cls) -> "Folders":
        """The folder named by ``PHASE2_CLUSTER_DIR``, or one in the cache."""
        return cls(Path(os.environ.get("PHASE2_CLUSTER_DIR") or cache_dir() / "cluster").resolve())

    @property
    def programs(self) -> Path:
        return self.root / "bin"

    @property
    def layers(self) -> Path:
        """Storage of the image builds."""
        return self.root / "layers"

    @property
    def registry(self) -> Path:
        return self.root / "registry"

    @property
    def images(self) -> Path:
        """Images of the node: containerd's own folder."""
        return self.root / "containerd"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def keys(self) -> Path:
        return self.state / "pki"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def kubeconfig(self) -> Path:
        return self.keys / "admin.conf"

    @property
    def containerd_socket(self) -> Path:
        return self.state / "containerd.sock"

    @property
    def containerd_state(self) -> Path:
        return self.state / "containerd"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def second(self) -> "Folders":
        """Those of the second node."""
        return SecondFolders(self.root)


@dataclass(frozen=True)
class SecondFolders(Folders):
    """Folders of the second node, which has images and a state of its own; all else is the cluster's."""

    @property
    def images(self) -> Path:
        return self.root / "containerd-2"

    @property
    def state(self) -> Path:
        return super().state / "node-2"

    @property
    def keys(self) -> Path:
        return super().state / "pki"

    @property
    def logs(self) -> Path:
        return super().state / "log"
