"""Policies and their bindings as objects of Kubernetes."""

from collections.abc import Mapping, Sequence

from tools.manifests.argo.pods import NAMESPACE
from tools.manifests.yaml_text import Manifest

_WRITES = ("CREATE", "UPDATE")


def policy(
    name: str,
    resources: Sequence[str],
    *,
    conditions: Mapping[str, str],
    variables: Mapping[str, str],
    validations: Sequence[Manifest],
    operations: Sequence[str] = _WRITES,
) -> Manifest:
    """Return a policy for kinds of Argo.

    Args:
        name: Its name.
        resources: Plural names of the kinds, and their subresources.
        conditions: CEL by name; the policy is asked where all hold.
        variables: CEL by name; each may use those before it.
        validations: What must hold, and what is said where it does not.
        operations: Kinds of requests that it is asked about.
    """
    rule = {
        "apiGroups": ["argoproj.io"],
        "apiVersions": ["*"],
        "operations": list(operations),
        "resources": list(resources),
        "scope": "Namespaced",
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": key, "expression": text} for key, text in conditions.items()],
            "variables": [{"name": key, "expression": text} for key, text in variables.items()],
            "validations": list(validations),
        },
    }


def binding(name: str) -> Manifest:
    """Return the binding of a policy to the namespace of the runs."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}},
        },
    }


def validation(expression: str, message: str, *, reason: str = "Forbidden") -> Manifest:
    """Return a rule with a fixed message."""
    return {"expression": expression, "message": message, "reason": reason}


def none_of(found: str, message: str, *, reason: str = "Forbidden") -> Manifest:
    """Return the rule that a variable, a list of strings, is empty.

    Args:
        found: Name of the variable.
        message: What is said, with ``{}`` where the strings of the list stand.
        reason: Reason of the response.
    """
    before, after = (f"'{part}'" for part in message.split("{}"))
    listed = f"variables.{found}.join(', ')"
    return {
        "expression": f"size(variables.{found}) == 0",
        "messageExpression": " + ".join(part for part in (before, listed, after) if part != "''"),
        "reason": reason,
    }


def on_creation(rule: Manifest) -> Manifest:
    """Return a rule that looks at new objects only."""
    return {**rule, "expression": f"request.operation != 'CREATE' || ({rule['expression']})"}
