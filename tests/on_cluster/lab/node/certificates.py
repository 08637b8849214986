"""Certificate authority of the cluster, certificates of its components, and kubeconfigs."""

import json
import subprocess

from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import addresses

_SUBJECTS = {
    "apiserver": "/CN=kube-apiserver",
    "admin": "/O=system:masters/CN=admin",
    "controller-manager": "/CN=system:kube-controller-manager",
    "scheduler": "/CN=system:kube-scheduler",
}
_NAMES = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"]
_ADDRESSES = ["127.0.0.1", addresses.NODE_ADDRESS, addresses.API_SERVICE]
_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
_DAYS = ["-days", "30"]


def make_certificates(folders: Folders) -> None:
    """Create new certificates and kubeconfigs."""
    folders.keys.mkdir(parents=True, mode=0o700)
    _openssl(folders, "req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.crt", *_DAYS, "-subj", "/CN=phase2-tests")
    _openssl(folders, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", "sa.key")
    _openssl(folders, "pkey", "-in", "sa.key", "-pubout", "-out", "sa.pub")
    _write_extensions(folders, _NAMES, _ADDRESSES)
    for name, subject in _SUBJECTS.items():
        _identity(folders, name, subject, addresses.API_SERVER)
    make_node_certificates(folders, addresses.FIRST)


def make_node_certificates(folders: Folders, node: addresses.Node) -> None:
    """Create the certificates and kubeconfigs of a node's kubelet and kube-proxy."""
    _write_extensions(folders, [node.name], ["127.0.0.1", node.address])
    _identity(folders, node.name, f"/O=system:nodes/CN=system:node:{node.name}", node.api_server)
    _identity(folders, f"{node.name}-proxy", "/CN=system:kube-proxy", node.api_server)


def _write_extensions(folders: Folders, names: list[str], hosts: list[str]) -> None:
    alternatives = ",".join([*(f"DNS:{name}" for name in names), *(f"IP:{address}" for address in hosts)])
    text = f"subjectAltName={alternatives}\nextendedKeyUsage=serverAuth,clientAuth\n"
    (folders.keys / "extensions").write_text(text)


def _identity(folders: Folders, name: str, subject: str, server: str) -> None:
    _certificate(folders, name, subject)
    (folders.keys / f"{name}.conf").write_text(json.dumps(_kubeconfig(folders, name, server)))


def _certificate(folders: Folders, name: str, subject: str) -> None:
    _openssl(folders, "req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
    authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions"]
    _openssl(folders, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", *authority, *_DAYS)


def _kubeconfig(folders: Folders, name: str, address: str) -> dict[str, object]:
    keys = {"client-certificate": f"{folders.keys}/{name}.crt", "client-key": f"{folders.keys}/{name}.key"}
    server = {"server": address, "certificate-authority": f"{folders.keys}/ca.crt"}
    context = {"cluster": "phase2-tests", "user": name, "namespace": "phase2"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "phase2-tests", "cluster": server}],
        "users": [{"name": name, "user": keys}],
        "contexts": [{"name": "phase2-tests", "context": context}],
        "current-context": "phase2-tests",
    }


def _openssl(folders: Folders, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folders.keys, check=True, capture_output=True)
