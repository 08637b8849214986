"""Names and addresses of the cluster; all of them on loopback, or on bridges and a cable of this machine."""

from dataclasses import dataclass

NODE = "phase2-node"
NETWORK = "phase2-tests"
BRIDGE = "phase2cni0"

NODE_ADDRESS = "10.244.0.1"
"""The bridge's own address: the node's, and that of its name server."""
POD_NETWORK = "10.244.0.0/24"
ALL_PODS = "10.244.0.0/16"
SERVICE_NETWORK = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
MINIO_SERVICE = "10.96.0.90"

API_SERVER = "https://127.0.0.1:6443"
ETCD = "http://127.0.0.1:2379"
ETCD_PEER = "http://127.0.0.1:2380"
REGISTRY = "localhost:5000"
"""containerd and buildah speak plain HTTP with this name and no other."""


@dataclass(frozen=True)
class Node:
    """Names and addresses of a node.

    Attributes:
        name: Its name in the API, and that of its keys.
        address: The address of its bridge.
        pods: Network of its pods, on the bridge.
        first_pod: First address of a pod.
        api_server: How its components reach the API server.
        masquerades: Whether pods leave the cluster by the node's address.
        mirror: Where it finds the registry; None is under the registry's own name.
        cgroup: Control group of its pods' groups.
    """

    name: str
    address: str
    pods: str
    first_pod: str
    api_server: str
    masquerades: bool = True
    mirror: str | None = None
    cgroup: str = "/"


FIRST = Node(NODE, NODE_ADDRESS, POD_NETWORK, "10.244.0.10", API_SERVER)
"""The node that a cluster always has: this machine's own network and control groups."""
SECOND = Node(
    "phase2-node-2",
    "10.244.1.1",
    "10.244.1.0/24",
    "10.244.1.10",
    f"https://{NODE_ADDRESS}:6443",
    masquerades=False,
    mirror=f"http://{NODE_ADDRESS}:5000",
    cgroup="/phase2-node-2",
)
"""The node that some tests add: a network namespace of its name, behind a cable that they can pull."""

CABLE = "phase2cable0"
"""The first node's end of the cable."""
CABLE_ADDRESS = "10.244.255.1"
PLUG = "uplink"
"""The second node's end."""
PLUG_ADDRESS = "10.244.255.2"
