"""The second node: a containerd and a kubelet of its own in a network namespace, behind a cable that can be pulled."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import addresses, components, network
from tests.on_cluster.lab.node.certificates import make_node_certificates
from tests.on_cluster.lab.node.configuration import write_node_configuration
from tests.on_cluster.lab.node.leftovers import clear_second, ctr, kill_containers
from tests.on_cluster.lab.node.processes import Processes
from tests.on_cluster.lab.waiting import wait_until

_NODE = addresses.SECOND
_INSIDE = network.inside(_NODE.name)
_CGROUPS = Path("/sys/fs/cgroup")
_COMPONENTS = ("containerd", "kubelet", "proxy")
# Pods of the first node keep their address on the way to those of the second, unless kube-proxy has marked the packet.
_BETWEEN_PODS = [
    *("--source", addresses.ALL_PODS, "--destination", addresses.ALL_PODS, "--jump", "ACCEPT"),
    *("--match", "mark", "--mark", "0x0/0x4000", "--match", "comment", "--comment", network.OURS),
]
_REGISTRY_PORT = addresses.REGISTRY.partition(":")[2]


class SecondNode:
    """Processes and network of the second node, which the API server needs to know nothing of."""

    name = _NODE.name

    def __init__(self, folders: Folders) -> None:
        self.folders = folders.second
        self._processes = Processes(folders)

    def start(self) -> None:
        """Make its network, keys and control groups, and start its components; what is left of it is removed before."""
        self.remove()
        make_node_certificates(self.folders, _NODE)
        write_node_configuration(self.folders, _NODE)
        _make_network()
        _make_cgroups()
        self._processes.start("registry-2", _registry_for_nodes())
        self.start_components()

    def start_components(self) -> None:
        """Start its containerd, kubelet and kube-proxy, as after a restart of its machine."""
        commands = components.node_commands(self.folders, _NODE)
        for name in _COMPONENTS:
            self._processes.start(f"{name}-2", [*_INSIDE, *commands[name]], components.ENVIRONMENT)
            if name == "containerd":  # a kubelet that does not find it ends
                wait_until(lambda: ctr(self.folders, "version").returncode == 0, "containerd-2", 120)

    def die(self) -> None:
        """Kill everything that runs on it: its components and its containers."""
        for name in reversed(_COMPONENTS):
            self._processes.stop(f"{name}-2", kill=True, shims=True)
        kill_containers(self.folders)

    def remove(self) -> None:
        """Stop it, and leave nothing of it on this machine but its images."""
        self.die()
        self._processes.stop("registry-2")
        clear_second(self.folders)
        _run("iptables", "--wait", "--table", "nat", "--delete", "POSTROUTING", *_BETWEEN_PODS, check=False)

    def pull_cable(self) -> None:
        """Cut it off from everything: its pods go on."""
        _ip("-netns", _NODE.name, "link", "set", addresses.PLUG, "down")

    def plug_cable(self) -> None:
        """Connect it again."""
        _plug()

    @contextmanager
    def without_api_server(self) -> Iterator[None]:
        """Drop all packets to the API server for the duration of a block: its pods still reach all else."""
        words = ["--in-interface", addresses.CABLE, "--protocol", "tcp", "--dport", "6443", "--jump", "DROP"]
        rule = ["INPUT", *words, "--match", "comment", "--comment", network.OUTAGE]
        _run("iptables", "--wait", "--insert", *rule)
        try:
            yield
        finally:
            _run("iptables", "--wait", "--delete", *rule)


def _make_network() -> None:
    """Make its namespace, a cable between that and this machine, and the routes between the pods of both nodes."""
    _ip("netns", "add", _NODE.name)
    _ip("link", "add", addresses.CABLE, "type", "veth", "peer", "name", addresses.PLUG, "netns", _NODE.name)
    _ip("address", "add", f"{addresses.CABLE_ADDRESS}/30", "dev", addresses.CABLE)
    _ip("link", "set", addresses.CABLE, "up")
    _ip("-netns", _NODE.name, "address", "add", f"{addresses.PLUG_ADDRESS}/30", "dev", addresses.PLUG)
    _ip("-netns", _NODE.name, "link", "set", "lo", "up")
    _plug()
    network.make_bridge(_NODE, *_INSIDE)
    _ip("route", "add", _NODE.pods, "via", addresses.PLUG_ADDRESS)
    _run("iptables", "--wait", "--table", "nat", "--insert", "POSTROUTING", *_BETWEEN_PODS)


def _plug() -> None:
    _ip("-netns", _NODE.name, "link", "set", addresses.PLUG, "up")
    _ip("-netns", _NODE.name, "route", "replace", "default", "via", addresses.CABLE_ADDRESS)


def _make_cgroups() -> None:
    """Make the group that has those of its pods: two kubelets with one would end each other's pods."""
    root = _NODE.cgroup.strip("/")
    if (_CGROUPS / "cgroup.controllers").exists():
        for name in (_CGROUPS / "cgroup.controllers").read_text().split():
            (_CGROUPS / "cgroup.subtree_control").write_text(f"+{name}")
        (_CGROUPS / root).mkdir(exist_ok=True)
        return
    for hierarchy in {path.resolve() for path in _CGROUPS.iterdir() if (path / "cgroup.procs").exists()}:
        group = hierarchy / root
        group.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (hierarchy / name).exists():
                (group / name).write_text((hierarchy / name).read_text())


def _registry_for_nodes() -> list[str]:
    """The registry, which is on loopback, at the address by which another node reaches this one."""
    port = _REGISTRY_PORT
    listens = f"TCP-LISTEN:{port},bind={addresses.NODE_ADDRESS},reuseaddr,fork"
    return ["socat", listens, f"TCP:127.0.0.1:{port}"]


def _ip(*words: str) -> None:
    _run("ip", *words)


def _run(*words: str, check: bool = True) -> None:
    subprocess.run(words, check=check, capture_output=True)
