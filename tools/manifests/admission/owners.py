"""Whose a run is: recorded when it is submitted, and only its owner or a maintainer stops or deletes it.

The owner is an annotation, since a label cannot hold most user names. Where the cluster has policies that change
objects the API server writes it itself; elsewhere ``phase2 submit`` does, and the policy accepts the person's own name
alone.
"""

from phase2.cluster.labels import OWNER_ANNOTATION
from tools.manifests.yaml_text import Manifest

from .people import READS_SECRETS, no_controller, no_kubernetes, no_maintainer
from .policies import (
    mutating_binding,
    mutating_policy,
    refusal,
    resource_rule,
    validating_binding,
    validating_policy,
)

NAME = "phase2-owners"
MUTATING_VERSION = "v1beta1"
_KINDS = (("batch", "jobs"), ("argoproj.io", "workflows"))


def policy() -> Manifest:
    """Return the policy that refuses what is another person's."""
    variables = {
        "user": "request.userInfo.username",
        "administrator": READS_SECRETS,
        "owner": _owner_of("object"),
        "before": _owner_of("oldObject"),
        "thing": "request.kind.kind + ' ' + request.name",
        "whose": f"variables.before == '' ? 'nobody\\'s, since no {OWNER_ANNOTATION} says whose it is' "
        ": 'of ' + variables.before",
        "ask": "variables.before == '' ? 'Ask a maintainer of the installation.' "
        ": 'Ask that person, or a maintainer of the installation.'",
    }
    theirs = (
        "'The ' + variables.thing + ' is ' + variables.whose + ', and you are ' + variables.user + '. ' + variables.ask"
    )
    forged = (
        f"'The annotation {OWNER_ANNOTATION} says ' + variables.owner + ', and you are ' + variables.user "
        "+ ': leave it out, or write your own name.'"
    )
    kept = (
        f"'The annotation {OWNER_ANNOTATION} stays as it is: ' + variables.before + '. It says who may stop and "
        "delete the run.'"
    )
    is_owner = "variables.before == variables.user"
    return validating_policy(
        NAME,
        _rules("CREATE", "UPDATE", "DELETE"),
        conditions={**no_controller(), **no_kubernetes(), **no_maintainer()},
        variables=variables,
        validations=[
            refusal(
                "request.operation != 'CREATE' || variables.owner in ['', variables.user] || variables.administrator",
                forged,
            ),
            refusal(f"request.operation == 'CREATE' || {is_owner} || variables.administrator", theirs),
            refusal(
                f"request.operation != 'UPDATE' || !({is_owner}) || variables.owner == variables.before"
                " || variables.administrator",
                kept,
            ),
        ],
    )


def stamp(version: str = MUTATING_VERSION) -> Manifest:
    """Return the policy that writes the owner into every new run."""
    path = "/metadata/annotations"
    key = OWNER_ANNOTATION.replace("/", "~1")
    patch = (
        f"(has(object.metadata.annotations) ? [] : [JSONPatch{{op: 'add', path: '{path}', value: {{}}}}])"
        f" + [JSONPatch{{op: 'add', path: '{path}/{key}', value: request.userInfo.username}}]"
    )
    conditions = {**no_controller(), **no_kubernetes()}
    return mutating_policy(NAME, _rules("CREATE"), version=version, conditions=conditions, patch=patch)


def manifests() -> list[Manifest]:
    """Return the policy and its binding."""
    return [policy(), validating_binding(NAME)]


def stamp_manifests() -> list[Manifest]:
    """Return the policy that writes the owner, and its binding."""
    return [stamp(), mutating_binding(NAME, version=MUTATING_VERSION)]


def _rules(*operations: str) -> list[Manifest]:
    return [resource_rule(group, [kind], operations) for group, kind in _KINDS]


def _owner_of(place: str) -> str:
    return f"{place} == null ? '' : {place}.metadata.?annotations[?'{OWNER_ANNOTATION}'].orValue('')"
