"""Requirements of the machine: root, Go and some packages of Debian, which are installed if missing."""

import os
import shutil
import subprocess

from tests.on_cluster.lab.timings import step

PACKAGES = {
    "containerd": "containerd",
    "runc": "runc",
    "buildah": "buildah",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "ethtool": "ethtool",
    "socat": "socat",
    "debootstrap": "debootstrap",
    "openssl": "openssl",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}
"""Programs, and the packages that contain them."""


class ClusterUnavailableError(RuntimeError):
    """Error of a machine that cannot run the cluster."""


def prepare_host() -> None:
    """Install what is missing.

    Raises:
        ClusterUnavailableError: Something cannot be had here.
    """
    if os.geteuid() != 0:
        raise ClusterUnavailableError("The test cluster needs root: namespaces, mounts and iptables.")
    if shutil.which("go") is None:
        raise ClusterUnavailableError("Kubernetes is built from its Go modules: install Go 1.26 or newer.")
    missing = [package for program, package in PACKAGES.items() if shutil.which(program) is None]
    if missing:
        _install(missing)


def _install(packages: list[str]) -> None:
    if shutil.which("apt-get") is None:
        raise ClusterUnavailableError(f"Without apt-get, install these yourself: {' '.join(packages)}.")
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    with step(f"Debian packages: {' '.join(packages)}"):
        for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            done = subprocess.run(["apt-get", *words], env=quiet, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ClusterUnavailableError(f"apt-get {words[0]} failed: {done.stderr.strip()[-500:]}")
