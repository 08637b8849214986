"""k8s/overlays/kind, installed with ``kubectl apply -k`` next to the namespace of the other tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.on_cluster.lab.building import images
from tests.on_cluster.lab.cluster import Cluster

NAMESPACE, STORE_NAMESPACE = "phase2-installed", "minio-installed"
IMAGE = "localhost:5000/phase2"
_NAMES = {"phase2": NAMESPACE, "minio": STORE_NAMESPACE}
_OVERLAY = Path(__file__).parents[3] / "k8s" / "overlays" / "kind"
_NAME_OF_NAMESPACE = "/kubernetes.io~1metadata.name"
_MINIO_USER = 10002
_POLICIES = ("phase2-jobs", "phase2-workloads", "phase2-owners")
_INNER = (
    (
        "ConfigMap",
        "phase2-store",
        {"/data/AWS_ENDPOINT_URL_S3": f"http://minio.{STORE_NAMESPACE}.svc.cluster.local:9000"},
    ),
    (
        "NetworkPolicy",
        "phase2-minio",
        {f"/spec/egress/0/to/0/namespaceSelector/matchLabels{_NAME_OF_NAMESPACE}": STORE_NAMESPACE},
    ),
)
"""Fields that name a namespace inside an object."""


@contextmanager
def installed(cluster: Cluster, folder: Path) -> Iterator[str]:
    """Install the overlay, and remove it at the end.

    Args:
        cluster: The cluster.
        folder: Folder for a kustomization and the volumes.

    Yields:
        Output of kubectl.
    """
    _write(folder / "overlay", images.minio_image(cluster.folders))
    words = ["-k", str(folder / "overlay")]
    try:
        done = cluster.kubectl("apply", *words)
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(_what_an_administrator_adds(folder)))
        yield done.stdout + done.stderr
    finally:
        cluster.kubectl("delete", "--ignore-not-found", "--timeout=60s", *words, check=False)
        cluster.kubectl("delete", "pv", "--ignore-not-found", "--selector=phase2.dev/test=installation", check=False)


def _write(folder: Path, minio: str) -> None:
    """Write a kustomization that renames the objects of the overlay, since the usual names are taken here."""
    folder.mkdir()
    patches = _renamed("PriorityClass", "phase2-training")
    for old, new in _NAMES.items():
        patches += [_patch({"kind": "Namespace", "name": old}, {"/metadata/name": new}, rename=True)]
        patches += [_patch({"namespace": old}, {"/metadata/namespace": new})]
    for policy in _POLICIES:
        binding = {"/spec/policyName": f"{policy}-installed"}
        binding |= {f"/spec/matchResources/namespaceSelector/matchLabels{_NAME_OF_NAMESPACE}": NAMESPACE}
        patches += _renamed("ValidatingAdmissionPolicy", policy)
        patches += _renamed("ValidatingAdmissionPolicyBinding", policy, binding)
    for kind, name, values in _INNER:
        patches.append(_patch({"kind": kind, "name": name}, values))
    content = {
        "resources": [os.path.relpath(_OVERLAY, folder.resolve())],
        "patches": patches,
        "images": [{"name": "minio/minio", "newName": minio.partition("@")[0], "digest": minio.partition("@")[2]}],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))


def _renamed(kind: str, name: str, values: dict[str, str] | None = None) -> list[dict[str, Any]]:
    values = {"/metadata/name": f"{name}-installed"} | (values or {})
    return [_patch({"kind": kind, "name": name}, values, rename=True)]


def _patch(target: dict[str, str], values: dict[str, str], *, rename: bool = False) -> dict[str, Any]:
    operations = [{"op": "replace", "path": path, "value": value} for path, value in values.items()]
    return {"target": target, "patch": yaml.safe_dump(operations), "options": {"allowNameChange": rename}}


def _what_an_administrator_adds(folder: Path) -> Iterator[dict[str, Any]]:
    """Keys, which are in no file, and volumes, which another cluster has a storage class for."""
    keys = {"MINIO_ROOT_USER": "installed-key", "MINIO_ROOT_PASSWORD": "installed-secret"}
    yield _secret(STORE_NAMESPACE, "minio-root", keys)
    yield _secret(
        NAMESPACE, "phase2-s3", dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), keys.values(), strict=True))
    )
    for namespace, claim, user in ((STORE_NAMESPACE, "minio", _MINIO_USER), (NAMESPACE, "phase2-data-cache", 10001)):
        place = folder / claim
        place.mkdir()
        os.chown(place, user, user)
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{namespace}-{claim}", "labels": {"phase2.dev/test": "installation"}},
            "spec": {
                "capacity": {"storage": "20Gi"},
                "accessModes": ["ReadWriteOnce"],
                "persistentVolumeReclaimPolicy": "Retain",
                "claimRef": {"namespace": namespace, "name": claim},
                "hostPath": {"path": str(place)},
            },
        }


def _secret(namespace: str, name: str, words: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": words}
