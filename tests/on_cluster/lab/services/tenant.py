"""Namespace in which runs train, with what an administrator provides: Pod Security, keys, a volume."""

import base64
import json
import os
from pathlib import Path

import yaml
from tests.on_cluster.lab.cluster import Cluster
from tests.on_cluster.lab.services import minio, store

_RUNNER = 10001
_LEVEL = "restricted"
_GROUP = Path(__file__).parents[4] / "k8s" / "base" / "group.yaml"


def make_tenant(cluster: Cluster) -> None:
    """Create the namespace with restricted Pod Security, the store's settings and keys, and the data cache."""
    cache = cluster.folders.state / "data-cache"
    cache.mkdir(exist_ok=True)
    os.chown(cache, _RUNNER, _RUNNER)
    everything = {"apiVersion": "v1", "kind": "List", "items": [*_namespace(cluster), *_cache(cluster, str(cache))]}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(everything))


def secret(name: str, key: str = minio.KEY, word: str = minio.SECRET) -> dict[str, object]:
    """Return a Secret with keys of the store."""
    data = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": word}
    encoded = {each: base64.b64encode(value.encode()).decode() for each, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "phase2"}, "data": encoded}


def _namespace(cluster: Cluster) -> list[dict[str, object]]:
    name = cluster.namespace
    labels = {f"pod-security.kubernetes.io/{mode}": _LEVEL for mode in ("enforce", "warn", "audit")}
    settings = {
        "PHASE2_STORE": minio.STORE,
        "AWS_ENDPOINT_URL_S3": store.IN_CLUSTER,
        "AWS_REGION": "us-east-1",
        "PHASE2_S3_PATH_STYLE": "1",
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "phase2-runner", "namespace": name},
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "phase2-store", "namespace": name},
            "data": settings,
        },
        secret("phase2-s3"),
        _group_service(name),
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "phase2-training"},
            "value": 1000,
            "preemptionPolicy": "Never",
        },
    ]


def _group_service(namespace: str) -> dict[str, object]:
    """Return the Service of k8s/base by which the pods of a run on several nodes find each other."""
    (found,) = [one for one in yaml.safe_load_all(_GROUP.read_text()) if one["kind"] == "Service"]
    return found | {"metadata": found["metadata"] | {"namespace": namespace}}


def _cache(cluster: Cluster, folder: str) -> list[dict[str, object]]:
    name, size = "phase2-data-cache", {"storage": "10Gi"}
    volume = {
        "capacity": size,
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "",
        "persistentVolumeReclaimPolicy": "Retain",
        "claimRef": {"namespace": cluster.namespace, "name": name},
        "hostPath": {"path": folder},
    }
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "",
        "volumeName": name,
        "resources": {"requests": size},
    }
    return [
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": volume},
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": cluster.namespace},
            "spec": claim,
        },
    ]
