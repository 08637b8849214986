"""The files that configure the components."""

import json

from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import addresses

CNI_PROGRAMS = "/usr/lib/cni"


def write_configuration(folders: Folders) -> None:
    """Write the files of all components into the cluster's state."""
    write_node_configuration(folders, addresses.FIRST)
    texts = {"registry.yaml": json.dumps(_registry(folders)), "Corefile": _name_server(folders)}
    for name, text in texts.items():
        (folders.state / name).write_text(text)


def write_node_configuration(folders: Folders, node: addresses.Node) -> None:
    """Write the files of a node's components into its state."""
    (folders.state / "cni").mkdir(parents=True, exist_ok=True)
    texts = {
        "cni/10-bridge.conflist": json.dumps(_network(folders, node)),
        "containerd.toml": containerd(folders, node),
        "containerd-alone.toml": containerd(folders, node, runtime=False),
        "kubelet.yaml": json.dumps(_kubelet(folders, node)),
        "proxy.yaml": json.dumps(_proxy(folders, node)),
        "resolv.conf": f"nameserver {addresses.NODE_ADDRESS}\n",
    }
    for name, text in texts.items():
        (folders.state / name).write_text(text)


def containerd(folders: Folders, node: addresses.Node, *, runtime: bool = True) -> str:
    """Return containerd's configuration, as the kubelet's runtime or only to manage its files."""
    plugin = 'plugins."io.containerd.grpc.v1.cri"'
    head = f"""
version = 2
root = "{folders.images}"
state = "{folders.containerd_state}"
{"" if runtime else 'disabled_plugins = ["io.containerd.grpc.v1.cri"]'}
[grpc]
  address = "{folders.containerd_socket}"
"""
    # Some hosts lack CAP_SYS_RESOURCE: a negative score then fails, and with it every sandbox.
    return (
        head
        + f"""
[{plugin}]
  sandbox_image = "{addresses.REGISTRY}/pause:1"
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
[{plugin}.cni]
  bin_dir = "{CNI_PROGRAMS}"
  conf_dir = "{folders.state}/cni"
[{plugin}.containerd]
  snapshotter = "overlayfs"
  discard_unpacked_layers = true
[{plugin}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[{plugin}.containerd.runtimes.runc.options]
  SystemdCgroup = false
"""
        + ("" if node.mirror is None else _mirror(plugin, node.mirror))
    )


def _mirror(plugin: str, address: str) -> str:
    return f"""
[{plugin}.registry.mirrors."{addresses.REGISTRY}"]
  endpoint = ["{address}"]
"""


def _network(folders: Folders, node: addresses.Node) -> dict[str, object]:
    ranges = [[{"subnet": node.pods, "rangeStart": node.first_pod}]]
    ranges_and_routes = {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": addresses.BRIDGE, "isGateway": True, "hairpinMode": True}
    bridge["ipMasq"] = node.masquerades
    bridge["ipam"] = ranges_and_routes | {"dataDir": f"{folders.state}/addresses"}
    return {"cniVersion": "0.4.0", "name": addresses.NETWORK, "plugins": [bridge]}


def _kubelet(folders: Folders, node: addresses.Node) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{folders.keys}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{folders.keys}/{node.name}.crt",
        "tlsPrivateKeyFile": f"{folders.keys}/{node.name}.key",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": node.cgroup,
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{folders.containerd_socket}",
        "clusterDNS": [addresses.NODE_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{folders.state}/resolv.conf",
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "100Mi"},
        "imageGCHighThresholdPercent": 100,
        "podLogsDir": f"{folders.state}/pods",
        "fileCheckFrequency": "1s",
        "syncFrequency": "5s",
        "nodeStatusUpdateFrequency": "2s",
    }


def _proxy(folders: Folders, node: addresses.Node) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": f"{folders.keys}/{node.name}-proxy.conf"},
        "mode": "iptables",
        "clusterCIDR": addresses.ALL_PODS,
        "hostnameOverride": node.name,
        "conntrack": {"maxPerCore": 0},
    }


def _registry(folders: Folders) -> dict[str, object]:
    files = {"rootdirectory": str(folders.registry)}
    storage = {"filesystem": files, "delete": {"enabled": True}}
    address = addresses.REGISTRY.replace("localhost", "127.0.0.1")
    return {"version": 0.1, "log": {"level": "warn"}, "storage": storage, "http": {"addr": address}}


def _name_server(folders: Folders) -> str:
    return f"""
.:53 {{
    bind {addresses.NODE_ADDRESS}
    errors
    kubernetes cluster.local {{
        kubeconfig {folders.kubeconfig}
        pods insecure
    }}
    cache 5
}}
"""
