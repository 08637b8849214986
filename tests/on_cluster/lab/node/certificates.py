"""Certificate authority of the cluster, certificates of its components, and kubeconfigs."""

import json
import subprocess

from tests.on_cluster.lab.folders import Folders
from tests.on_cluster.lab.node import addresses

_SUBJECTS = {
    "apiserver": "/CN=kube-apiserver",
    "admin": "/O=system:masters/CN=admin",
    "kubelet": f"/O=system:nodes/CN=system:node:{addresses.NODE}",
    "controller-manager": "/CN=system:kube-controller-manager",
    "scheduler": "/CN=system:kube-scheduler",
    "proxy": "/CN=system:kube-proxy",
}
_NAMES = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", addresses.NODE]
_ADDRESSES = ["127.0.0.1", addresses.NODE_ADDRESS, addresses.API_SERVICE]
_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
_DAYS = ["-days", "30"]


def make_certificates(folders: Folders) -> None:
    """Create new certificates and kubeconfigs."""
    folders.keys.mkdir(parents=True, mode=0o700)
    _openssl(folders, "req", "-x509", *_KEY, "-keyout", "ca.key", "-out", "ca.crt", *_DAYS, "-subj", "/CN=phase2-tests")
    _openssl(folders, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", "sa.key")
    _openssl(folders, "pkey", "-in", "sa.key", "-pubout", "-out", "sa.pub")
    names = ",".join([*(f"DNS:{name}" for name in _NAMES), *(f"IP:{address}" for address in _ADDRESSES)])
    (folders.keys / "extensions").write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth,clientAuth\n")
    for name, subject in _SUBJECTS.items():
        _certificate(folders, name, subject)
        (folders.keys / f"{name}.conf").write_text(json.dumps(_kubeconfig(folders, name)))


def _certificate(folders: Folders, name: str, subject: str) -> None:
    _openssl(folders, "req", *_KEY, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
    authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extensions"]
    _openssl(folders, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.crt", *authority, *_DAYS)


def _kubeconfig(folders: Folders, name: str) -> dict[str, object]:
    keys = {"client-certificate": f"{folders.keys}/{name}.crt", "client-key": f"{folders.keys}/{name}.key"}
    server = {"server": addresses.API_SERVER, "certificate-authority": f"{folders.keys}/ca.crt"}
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
