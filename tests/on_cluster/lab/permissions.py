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
    """Whether every subject may do what a rule of the role allows."""
    role, namespace = binding["roleRef"], f"--namespace={binding['metadata']['namespace']}"
    rules = json.loads(cluster.kubectl("get", role["kind"], role["name"], namespace, "--output=json").stdout)["rules"]
    if not rules:  # of an aggregated ClusterRole that its controller has not filled yet
        return False
    allowed = _allowed(rules[0])
    return all(
        cluster.kubectl("auth", "can-i", *allowed, *_acting_as(subject), namespace, check=False).returncode == 0
        for subject in binding["subjects"]
    )


def _allowed(rule: dict[str, list[str]]) -> tuple[str, ...]:
    """Verb and resource of something that a rule allows, as ``kubectl auth can-i`` takes them."""
    resource, _, subresource = rule["resources"][0].partition("/")
    group = rule["apiGroups"][0]
    name = f"/{rule['resourceNames'][0]}" if rule.get("resourceNames") else ""
    words = (rule["verbs"][0], f"{resource}.{group}{name}" if group else f"{resource}{name}")
    return (*words, f"--subresource={subresource}") if subresource else words


def _acting_as(subject: dict[str, str]) -> tuple[str, ...]:
    if subject["kind"] == "Group":
        return ("--as=somebody", f"--as-group={subject['name']}")
    if subject["kind"] == "ServiceAccount":
        return (f"--as=system:serviceaccount:{subject['namespace']}:{subject['name']}",)
    return (f"--as={subject['name']}",)
