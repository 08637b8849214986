"""What an administrator installs once beside the templates: the executor's identity and the bucket."""

from typing import Any

from tools.manifests.yaml_text import Manifest

from .pods import NAMESPACE, labels

EXECUTOR = "phase2-executor"
"""Service account of Argo's own containers."""

ARTIFACTS, ARTIFACTS_KEY = "phase2-artifacts", "phase2"
"""ConfigMap and key of the artifact repository."""

_SUBMITTER = "phase2-workflow-submitter"
_RBAC = "rbac.authorization.k8s.io"
_REPOSITORY = """\
s3:
  endpoint: minio.minio.svc.cluster.local:9000
  insecure: true
  bucket: phase2
  region: us-east-1
  accessKeySecret: {name: phase2-s3, key: AWS_ACCESS_KEY_ID}
  secretKeySecret: {name: phase2-s3, key: AWS_SECRET_ACCESS_KEY}
  keyFormat: .workflows/logs/{{workflow.name}}/{{pod.name}}
"""
# Logs below one prefix, which begins with a dot as all that is no run: a rule of the bucket's lifecycle removes them.


def executor() -> list[Manifest]:
    """Return the identity of Argo's own containers, the only ones that talk to the API server."""
    rules = [{"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}]
    subject = {"kind": "ServiceAccount", "name": EXECUTOR, "namespace": NAMESPACE}
    token = _object("v1", "Secret", f"{EXECUTOR}.service-account-token")  # Argo looks it up by this exact name
    token["metadata"]["annotations"] = {"kubernetes.io/service-account.name": EXECUTOR}
    token["type"] = "kubernetes.io/service-account-token"
    return [
        _object("v1", "ServiceAccount", EXECUTOR, automountServiceAccountToken=False),
        token,
        _role(EXECUTOR, rules),
        _role_binding(EXECUTOR, subject),
    ]


def submitter() -> list[Manifest]:
    """Return the rights of users who submit workflows, for the group of ``phase2-submitter``."""
    reading = ["get", "list", "watch"]
    rules = [
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["workflows"],
            "verbs": ["create", *reading, "patch", "update", "delete"],
        },
        {
            "apiGroups": ["argoproj.io"],
            "resources": ["workflowtemplates", "cronworkflows", "workflowtaskresults"],
            "verbs": reading,
        },
    ]
    group = {"apiGroup": _RBAC, "kind": "Group", "name": "phase2-submitters"}
    return [_role(_SUBMITTER, rules), _role_binding(_SUBMITTER, group)]


def network() -> Manifest:
    """Return the access of Argo's own container to the API server, which k8s/base denies to all pods."""
    pods = {"matchExpressions": [{"key": "workflows.argoproj.io/workflow", "operator": "Exists"}]}
    ports = [{"protocol": "TCP", "port": port} for port in (443, 6443)]
    spec = {"podSelector": pods, "policyTypes": ["Egress"], "egress": [{"ports": ports}]}
    return _object("networking.k8s.io/v1", "NetworkPolicy", EXECUTOR, spec=spec)


def artifacts() -> Manifest:
    """Return the repository of artifacts and logs: the bucket of the runs, with the keys of the same Secret."""
    config_map = _object("v1", "ConfigMap", ARTIFACTS, data={ARTIFACTS_KEY: _REPOSITORY})
    config_map["metadata"]["annotations"] = {"workflows.argoproj.io/default-artifact-repository": ARTIFACTS_KEY}
    return config_map


def _object(api_version: str, kind: str, name: str, **fields: Any) -> Manifest:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": labels()}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def _role(name: str, rules: list[Manifest]) -> Manifest:
    return _object(f"{_RBAC}/v1", "Role", name, rules=rules)


def _role_binding(name: str, subject: Manifest) -> Manifest:
    role = {"apiGroup": _RBAC, "kind": "Role", "name": name}
    return _object(f"{_RBAC}/v1", "RoleBinding", name, roleRef=role, subjects=[subject])
