"""Policies and their bindings as objects of Kubernetes."""

from collections.abc import Mapping, Sequence
from typing import Any

from tools.manifests.yaml_text import Manifest

NAMESPACE = "phase2"
_GROUP = "admissionregistration.k8s.io"


def resource_rule(group: str, resources: Sequence[str], operations: Sequence[str]) -> Manifest:
    """Return the rule of which requests about kinds of one API group a policy is asked about."""
    return {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "operations": list(operations),
        "resources": list(resources),
        "scope": "Namespaced",
    }


def validating_policy(
    name: str,
    rules: Sequence[Manifest],
    *,
    conditions: Mapping[str, str],
    variables: Mapping[str, str],
    validations: Sequence[Manifest],
) -> Manifest:
    """Return a policy that refuses.

    Args:
        name: Its name.
        rules: Requests that it is asked about.
        conditions: CEL by name; it is asked where all hold.
        variables: CEL by name; each may use those before it.
        validations: What must hold, and what is said where it does not.
    """
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": list(rules)},
        "matchConditions": named(conditions),
        "variables": named(variables),
        "validations": list(validations),
    }
    return _object("ValidatingAdmissionPolicy", "v1", name, spec)


def validating_binding(name: str) -> Manifest:
    """Return the binding of a policy that refuses to the namespace of the runs."""
    return _object(
        "ValidatingAdmissionPolicyBinding", "v1", name, {"policyName": name, "validationActions": ["Deny"], **_here()}
    )


def mutating_policy(
    name: str, rules: Sequence[Manifest], *, version: str, conditions: Mapping[str, str], patch: str
) -> Manifest:
    """Return a policy that changes objects before they are stored.

    Args:
        name: Its name.
        rules: Requests that it is asked about.
        version: Version of the API.
        conditions: CEL by name; it is asked where all hold.
        patch: CEL of a list of JSON patches.
    """
    spec = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": {"resourceRules": list(rules)},
        "matchConditions": named(conditions),
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patch}}],
    }
    return _object("MutatingAdmissionPolicy", version, name, spec)


def mutating_binding(name: str, *, version: str) -> Manifest:
    """Return the binding of a policy that changes objects to the namespace of the runs."""
    return _object("MutatingAdmissionPolicyBinding", version, name, {"policyName": name, **_here()})


def refusal(expression: str, message: str, *, reason: str = "Forbidden") -> Manifest:
    """Return what must hold, with an expression of what is said where it does not."""
    return {"expression": expression, "messageExpression": message, "reason": reason}


def named(expressions: Mapping[str, str]) -> list[dict[str, str]]:
    """Return expressions by name as Kubernetes lists them."""
    return [{"name": name, "expression": text} for name, text in expressions.items()]


def _here() -> dict[str, Any]:
    labels = {"kubernetes.io/metadata.name": NAMESPACE}
    return {"matchResources": {"namespaceSelector": {"matchLabels": labels}}}


def _object(kind: str, version: str, name: str, spec: dict[str, Any]) -> Manifest:
    return {"apiVersion": f"{_GROUP}/{version}", "kind": kind, "metadata": {"name": name}, "spec": spec}
