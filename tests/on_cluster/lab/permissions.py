"""Permissions in a namespace, once the API server goes by them."""

import json
from typing import Any

from tests.on_cluster.lab.cluster_base import ClusterBase
from tests.on_cluster.lab.waiting import wait_until

_SECONDS = 60


def bind_role(cluster: ClusterBase, name: str, *role_and_subjects: str, namespace: str) -> None:
    """Create a RoleBinding, and wait until the server goes by it.

    The server's authorizer reads roles and bindings from a cache, which learns of a new one some moments later.

    Args:
        cluster: The cluster.
        name: Name of the binding.
        role_and_subjects: Flags of ``kubectl create rolebinding``, such as ``--role=editor --user=alice``.
        namespace: Namespace of the binding.
    """
    words = ("create", "rolebinding", name, *role_and_subjects, f"--namespace={namespace}", "--output=json")
    binding = json.loads(cluster.kubectl(*words).stdout)
    wait_until(lambda: _is_in_force(cluster, binding), f"the role binding {name} to be in force", _SECONDS, pause=0.3)


def _is_in_force(cluster: ClusterBase, binding: dict[str, Any]) -> bool:
    """Whether every subject may do what the first rule of the role allows."""
    role, namespace = binding["roleRef"], binding["metadata"]["namespace"]
    found = cluster.kubectl("get", role["kind"], role["name"], f"--namespace={namespace}", "--output=json").stdout
    rules = json.loads(found)["rules"]
    if not rules:  # of an aggregated ClusterRole that its controller has not filled yet
        return False
    asked = {"namespace": namespace, **_allowed(rules[0])}
    return all(_may(cluster, subject, asked) for subject in binding["subjects"])


def _allowed(rule: dict[str, list[str]]) -> dict[str, str]:
    """Return something that a rule allows, as attributes of an access review."""
    resource, _, subresource = rule["resources"][0].partition("/")
    names = {"name": rule["resourceNames"][0]} if rule.get("resourceNames") else {}
    kind = {"group": rule["apiGroups"][0], "resource": resource, "subresource": subresource}
    return {"verb": rule["verbs"][0], **kind, **names}


def _may(cluster: ClusterBase, subject: dict[str, str], asked: dict[str, str]) -> bool:
    who: dict[str, Any] = {"user": subject["name"]}
    if subject["kind"] == "Group":
        who = {"user": "somebody", "groups": [subject["name"]]}
    elif subject["kind"] == "ServiceAccount":
        who = {"user": f"system:serviceaccount:{subject['namespace']}:{subject['name']}"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {**who, "resourceAttributes": asked},
    }
    answer = cluster.kubectl("create", "--filename=-", "--output=json", stdin=json.dumps(review)).stdout
    return bool(json.loads(answer)["status"]["allowed"])
