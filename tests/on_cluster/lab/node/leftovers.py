"""Remove everything that a cluster has left on this machine, however it ended."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil
from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import addresses, configuration, network
from tests.on_cluster.lab.node.processes import Processes

_CGROUPS = Path("/sys/fs/cgroup")
_LOG_LINKS = Path("/var/log/containers")


def clear(folders: Folders) -> None:
    """Remove all processes, mounts, containers, networks and rules; keep what was built."""
    Processes(folders).stop(kill=True)
    clear_second(folders.second)
    _clear_containers(folders, addresses.FIRST)
    _unmount(folders.root)
    network.clear_network()
    _remove_cgroups()
    for link in _LOG_LINKS.glob("*.log"):
        if link.is_symlink() and str(folders.state) in str(link.readlink()):
            link.unlink()
    shutil.rmtree(folders.state, ignore_errors=True)
    if folders.state.exists():
        shutil.rmtree(folders.state)  # and say what stays


def clear_second(folders: Folders) -> None:
    """Remove the containers, network and state of a second node whose components are stopped; does nothing without."""
    if folders.state.exists():
        _clear_containers(folders, addresses.SECOND)
        _unmount(folders.state)
    network.clear_second()
    shutil.rmtree(folders.state, ignore_errors=True)


def found(folders: Folders) -> list[str]:
    """Describe what is left to clear; empty after ``clear``."""
    processes = [f"process {each.name()} {each.pid}" for each in Processes(folders).find()]
    mounts = [f"mount {mount}" for mount in _mounts(folders.root)]
    groups = [f"cgroup {group}" for group in _pod_cgroups()]
    state = [f"folder {folders.state}"] if folders.state.exists() else []
    return [*processes, *mounts, *groups, *network.found(), *state]


def _clear_containers(folders: Folders, node: addresses.Node) -> None:
    kill_containers(folders)
    if folders.images.exists():
        _forget_containers(folders, node)


def kill_containers(folders: Folders) -> None:
    """Kill the processes of containers whose shims are dead."""
    pods = []
    for process in psutil.process_iter():
        try:
            groups = Path(f"/proc/{process.pid}/cgroup").read_text()
        except OSError:
            continue
        if "kubepods" in groups and any(name in groups for name in _container_ids(folders)):
            pods.append(process)
    for process in pods:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(pods, timeout=10)


def _container_ids(folders: Folders) -> list[str]:
    return [path.name for path in folders.containerd_state.glob("io.containerd.runtime.v2.task/k8s.io/*")]


def _forget_containers(folders: Folders, node: addresses.Node) -> None:
    """Remove the containers from containerd's own records; images stay."""
    folders.state.mkdir(parents=True, exist_ok=True)
    folders.keys.mkdir(parents=True, exist_ok=True)
    settings = folders.state / "containerd-alone.toml"
    settings.write_text(configuration.containerd(folders, node, runtime=False))
    processes, name = Processes(folders), f"containerd-of-{node.name}"
    processes.start(name, ["containerd", "--config", str(settings)])
    try:
        for _ in range(200):
            listed = ctr(folders, "containers", "list", "--quiet")
            if listed.returncode == 0:
                break
            time.sleep(0.05)
        for container in listed.stdout.split():
            ctr(folders, "task", "delete", "--force", container)
            ctr(folders, "containers", "delete", container)
    finally:
        processes.stop(name)


def ctr(folders: Folders, *words: str) -> subprocess.CompletedProcess[str]:
    """Run containerd's own client in the namespace of the kubelet."""
    command = ["ctr", "--address", str(folders.containerd_socket), "--namespace", "k8s.io", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _unmount(folder: Path) -> None:
    for mount in reversed(_mounts(folder)):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)


def _mounts(folder: Path) -> list[str]:
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return [mount for mount in mounts if mount.startswith(f"{folder}/")]


def _remove_cgroups() -> None:
    """Remove the empty groups of pods; the kernel refuses to remove one that is in use."""
    for pods in _pod_cgroups():
        for folder, _, _ in os.walk(pods, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()


def _pod_cgroups() -> list[Path]:
    """Return the groups of the nodes' pods, in each hierarchy."""
    names = ("kubepods", addresses.SECOND.cgroup.strip("/"))
    return [group for name in names for group in [*_CGROUPS.glob(name), *_CGROUPS.glob(f"*/{name}")]]
