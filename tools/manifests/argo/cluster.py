"""What an administrator installs once beside the templates: the executor's identity, the bucket, the limits."""

from .parameters import Manifest
from .pods import ARTIFACTS, EXECUTOR, LIMITS, NAMESPACE, labels

_RBAC = "rbac.authorization.k8s.io"


def executor() -> list[Manifest]:
    """The identity of Argo's own containers, the only ones that talk to the API server."""
    rules = [{"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}]
    token = f"{EXECUTOR}.service-account-token"  # Argo looks it up by this exact name
    metadata = _metadata(token) | {"annotations": {"kubernetes.io/service-account.name": EXECUTOR}}
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": _metadata(EXECUTOR),
            "automountServiceAccountToken": False,
        },
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/service-account-token"},
        {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": _metadata(EXECUTOR), "rules": rules},
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": _metadata(EXECUTOR),
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": EXECUTOR},
            "subjects": [{"kind": "ServiceAccount", "name": EXECUTOR, "namespace": NAMESPACE}],
        },
    ]


def network() -> Manifest:
    """The way of Argo's own container to the API server, which k8s/base closes to all pods of the namespace."""
    pods = {"matchExpressions": [{"key": "workflows.argoproj.io/workflow", "operator": "Exists"}]}
    ports = [{"protocol": "TCP", "port": port} for port in (443, 6443)]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": _metadata(EXECUTOR),
        "spec": {"podSelector": pods, "policyTypes": ["Egress"], "egress": [{"ports": ports}]},
    }


def submitter() -> list[Manifest]:
    """The rights of people who submit workflows, for the group of ``phase2-submitter``."""
    rules = [
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["workflows"],
            "verbs": ["create", "get", "list", "watch", "patch", "update", "delete"],
        },
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["workflowtemplates", "cronworkflows", "workflowtaskresults"],
            "verbs": ["get", "list", "watch"],
        },
    ]
    name = "phase2-workflow-submitter"
    return [
        {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": _metadata(name), "rules": rules},
        {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": _metadata(name),
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": "phase2-submitters"}],
        },
    ]


def artifacts() -> Manifest:
    """Where artifacts and logs go: the bucket of the runs, with the keys of the same Secret."""
    repository = """\
s3:
  endpoint: minio.minio.svc.cluster.local:9000
  insecure: true
  bucket: phase2
  region: us-east-1
  accessKeySecret: {name: phase2-s3, key: AWS_ACCESS_KEY_ID}
  secretKeySecret: {name: phase2-s3, key: AWS_SECRET_ACCESS_KEY}
"""
    metadata = _metadata(ARTIFACTS["configMap"])
    metadata["annotations"] = {"workflows.argoproj.io/default-artifact-repository": ARTIFACTS["key"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {ARTIFACTS["key"]: repository}}


def limits() -> Manifest:
    """How many pods train at once, over all workflows."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _metadata(LIMITS), "data": {"gpu": "4"}}


def _metadata(name: str) -> dict[str, object]:
    return {"name": name, "namespace": NAMESPACE, "labels": labels()}
