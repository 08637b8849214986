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


def submitter() -> Manifest:
    """The rights of people who submit workflows; bind it beside ``phase2-submitter``."""
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
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": _metadata("phase2-workflow-submitter"),
        "rules": rules,
    }


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
