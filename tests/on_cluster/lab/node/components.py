"""The command of each component."""

from tests.on_cluster.lab.building import builds
from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import addresses

ENVIRONMENT = {"OTEL_TRACES_EXPORTER": "none", "GOGC": "400"}
"""Collect garbage less often than Go's default: a small machine has more memory to spare than cores."""


def commands(folders: Folders) -> dict[str, list[str]]:
    """All components, by name; paths without a folder are those of the keys."""
    kube, state = str(builds.kube(folders)), folders.state
    return {
        "etcd": [kube, "etcd", *_etcd(folders)],
        "containerd": ["containerd", "--config", f"{state}/containerd.toml"],
        "registry": registry(folders),
        "apiserver": [kube, "apiserver", *_apiserver()],
        "controller-manager": [kube, "controller-manager", *_controller_manager()],
        "scheduler": [kube, "scheduler", "--kubeconfig=scheduler.conf", "--leader-elect=false"],
        "kubelet": [kube, "kubelet", *_kubelet(folders)],
        "proxy": [kube, "proxy", f"--config={state}/proxy.yaml"],
        "coredns": [str(builds.coredns(folders)), f"-conf={state}/Corefile"],
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
        f"--cluster-cidr={addresses.POD_NETWORK}",
        "--leader-elect=false",
        "--controllers=*,-nodeipam",
    ]


def _kubelet(folders: Folders) -> list[str]:
    return [
        f"--config={folders.state}/kubelet.yaml",
        "--kubeconfig=kubelet.conf",
        f"--hostname-override={addresses.NODE}",
        f"--root-dir={folders.state}/kubelet",
        f"--node-ip={addresses.NODE_ADDRESS}",
    ]
