"""The command of each component."""

from tests.on_cluster.lab.building import builds
from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import addresses

ENVIRONMENT = {"OTEL_TRACES_EXPORTER": "none", "GOGC": "400"}
"""Collect garbage less often than Go's default: a small machine has more memory to spare than cores."""


def commands(folders: Folders) -> dict[str, list[str]]:
    """All components, by name; paths without a folder are those of the keys."""
    kube = str(builds.kube(folders))
    return {
        "etcd": [kube, "etcd", *_etcd(folders)],
        "registry": registry(folders),
        "apiserver": [kube, "apiserver", *_apiserver()],
        "controller-manager": [kube, "controller-manager", *_controller_manager()],
        "scheduler": [kube, "scheduler", "--kubeconfig=scheduler.conf", "--leader-elect=false"],
        "coredns": [str(builds.coredns(folders)), f"-conf={folders.state}/Corefile"],
        **node_commands(folders, addresses.FIRST),
    }


def node_commands(folders: Folders, node: addresses.Node) -> dict[str, list[str]]:
    """The components that every node has, by name."""
    kube = str(builds.kube(folders))
    return {
        "containerd": ["containerd", "--config", f"{folders.state}/containerd.toml"],
        "kubelet": [kube, "kubelet", *_kubelet(folders, node)],
        "proxy": [kube, "proxy", f"--config={folders.state}/proxy.yaml"],
    }


def registry(folders: Folders) -> list[str]:
    """The registry, which an image build needs without the others."""
    return [str(builds.registry(folders)), "serve", f"{folders.state}/registry.yaml"]


def _etcd(folders: Folders) -> list[str]:
    return [
        f"--name={addresses.NODE}",
        f"--data-dir={folders.state}/etcd",
        "--unsafe-no-fsync",
        f"--listen-client-urls={addresses.ETCD}",
        f"--advertise-client-urls={addresses.ETCD}",
        f"--listen-peer-urls={addresses.ETCD_PEER}",
        f"--initial-advertise-peer-urls={addresses.ETCD_PEER}",
        f"--initial-cluster={addresses.NODE}={addresses.ETCD_PEER}",
        "--log-level=warn",
    ]


def _apiserver() -> list[str]:
    return [
        f"--etcd-servers={addresses.ETCD}",
        f"--advertise-address={addresses.NODE_ADDRESS}",
        "--secure-port=6443",
        f"--service-cluster-ip-range={addresses.SERVICE_NETWORK}",
        "--allow-privileged",
        "--client-ca-file=ca.crt",
        "--tls-cert-file=apiserver.crt",
        "--tls-private-key-file=apiserver.key",
        "--service-account-key-file=sa.pub",
        "--service-account-signing-key-file=sa.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--kubelet-client-certificate=admin.crt",
        "--kubelet-client-key=admin.key",
        "--kubelet-certificate-authority=ca.crt",
        "--kubelet-preferred-address-types=InternalIP",  # or logs and exec need the node's name in /etc/hosts
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        # Beta and off by default in this version of Kubernetes; on in later ones.
        "--feature-gates=MutatingAdmissionPolicy=true",
        "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
        "--profiling=false",
    ]


def _controller_manager() -> list[str]:
    return [
        "--kubeconfig=controller-manager.conf",
        "--service-account-private-key-file=sa.key",
        "--root-ca-file=ca.crt",
        "--use-service-account-credentials",
        f"--cluster-cidr={addresses.ALL_PODS}",
        "--leader-elect=false",
        "--controllers=*,-nodeipam",
    ]


def _kubelet(folders: Folders, node: addresses.Node) -> list[str]:
    return [
        f"--config={folders.state}/kubelet.yaml",
        f"--kubeconfig={node.name}.conf",
        f"--hostname-override={node.name}",
        f"--root-dir={folders.state}/kubelet",
        f"--node-ip={node.address}",
    ]
