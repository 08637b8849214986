"""Policies of the kinds of Argo, and the rules in them."""

from collections.abc import Mapping, Sequence

from tools.manifests.admission.policies import resource_rule, validating_policy
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
    rule = resource_rule("argoproj.io", resources, operations)
    return validating_policy(name, [rule], conditions=conditions, variables=variables, validations=validations)


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
