"""Closed list of what the specification of a Workflow may say: a template of ours, values of its parameters, its time.

Argo joins the specification of a Workflow into that of its template, over what stands there. A list of what is
forbidden would miss the next field that Argo gets; this one names what is allowed.
"""

from collections.abc import Sequence

from tools.manifests.argo.parameters import IMAGE, PARAMETERS, PRIORITY
from tools.manifests.cel import cel_literal
from tools.manifests.yaml_text import Manifest

from .policies import none_of, validation

BY_THE_CLOCK = ("phase2-prune", "phase2-page")
"""Templates that the administrator schedules: one removes runs, whosever they are, one writes what all people open."""

FOR_PEOPLE = tuple(name for name in PARAMETERS if name not in BY_THE_CLOCK)
"""Templates that people may submit."""

FIELDS = (
    "workflowTemplateRef", "arguments", "entrypoint", "suspend", "shutdown", "activeDeadlineSeconds", "ttlStrategy",
)  # fmt: skip
"""Fields that a person may set; each is looked at below."""

_TTL = ("secondsAfterCompletion", "secondsAfterSuccess", "secondsAfterFailure")
_LONGEST = (1 << 31) - 1  # Argo reads no more, and lists no Workflow beside one that it cannot read
_SHUTDOWNS = ("", "Stop", "Terminate")
_VALUE = "p.?value.orValue('')"

APPROVED = f"['{IMAGE.value.partition(':')[0]}']"
"""Images, without tag and digest, where no installation says which."""


def variables(specification: str) -> dict[str, str]:
    """Return what the rules look at, by name.

    Args:
        specification: Expression of the specification of a Workflow.
    """
    return {
        "approved": APPROVED,
        "byDigest": "false",
        "spec": specification,
        "foreign": f"variables.spec.filter(field, !(field in {cel_literal(list(FIELDS))}))",
        "given": "variables.spec.?arguments.?parameters.orValue([])",
        "odd": "variables.given.filter(p, !(type(p.?name.orValue(0)) == string && type(p.?value.orValue('')) == string"
        " && p.all(field, field in ['name', 'value']))).map(p, string(p.?name.orValue('?')))",
        "braced": f"variables.given.filter(p, [p.?name.orValue(''), {_VALUE}].exists(text, text.contains('{{{{')"
        " || text.contains('}}'))).map(p, p.name)",
        "images": f"variables.given.filter(p, p.?name.orValue('') == '{IMAGE.name}').map(p, {_VALUE})",
        # A slash behind the colon would make a registry of what looks like the name: phase2:1/other.
        # Its name does not end in "approved": kustomize would replace what stands in quotes in it, too.
        "outsiders": "variables.images.filter(image, ![image.split('@')[0]].exists(tagged, variables.approved.exists("
        "name, tagged == name || tagged.startsWith(name + ':') && !tagged.substring(size(name)).contains('/'))))",
        "undigested": "variables.images.filter(image, !image.contains('@sha256:'))",
    }


def rules(templates: Sequence[str]) -> list[Manifest]:
    """Return the rules of a specification.

    Args:
        templates: Names of the templates that it may name.
    """
    names = list(templates)
    return [
        validation(
            f"variables.spec.?workflowTemplateRef.?name.orValue('') in {cel_literal(names)}"
            " && !(variables.spec.workflowTemplateRef.?clusterScope.orValue(false))"
            " && variables.spec.workflowTemplateRef.all(field, field in ['name', 'clusterScope'])",
            "a Workflow of this namespace names one of its templates in workflowTemplateRef, since a Workflow with "
            "templates of its own could run any image with the keys of the store. Its name is one of "
            f"{', '.join(names)}: argo submit argo/phase2.yaml or phase2 submit --backend argo",
        ),
        none_of(
            "foreign",
            "a Workflow sets arguments and its time only, since Argo joins every other field into the template, over "
            f"what stands there: leave out {{}}. What it may set: {', '.join(FIELDS)}",
        ),
        validation(
            "variables.spec.?entrypoint.orValue('main') == 'main'",
            "the entrypoint is main, which runs every step of the template: leave it out",
        ),
        validation(
            "variables.spec.?arguments.orValue({}).all(field, field == 'parameters')",
            "arguments are parameters here: artifacts would put files into the pods",
        ),
        none_of(
            "odd",
            "parameters are given as name and value, both texts; what valueFrom, default or another field brings, "
            "nobody could look at here: write name and value of {}",
            reason="Invalid",
        ),
        none_of(
            "braced",
            "Argo would replace what stands in double braces, perhaps by fields of a pod: leave them out of the value "
            "of {}",
        ),
        _times(),
        none_of("outsiders", "the image is not approved: {}. The administrator names the approved ones"),
        {
            "expression": "!variables.byDigest || size(variables.undigested) == 0",
            "messageExpression": "'an image is named by its digest here, name@sha256:..., which says what it is: '"
            " + variables.undigested.join(', ')",
            "reason": "Forbidden",
        },
        validation(
            f"!variables.given.exists(p, p.?name.orValue('') == '{PRIORITY.name}' && {_VALUE}.startsWith('system-'))",
            "priority classes that begin with system- are those of the cluster, before which everything else is "
            "thrown out: name another one",
        ),
    ]


def _times() -> Manifest:
    seconds = f"type({{0}}) == int && {{0}} >= 0 && {{0}} <= {_LONGEST}"
    ttl = "variables.spec.?ttlStrategy.orValue({})"
    each = f"field in {cel_literal(list(_TTL))} && {seconds.format(f'{ttl}[field]')}"
    return validation(
        f"type({ttl}) == map && {ttl}.all(field, {each})"
        f" && ({seconds.format('variables.spec.?activeDeadlineSeconds.orValue(1)')})",
        f"activeDeadlineSeconds, and {', '.join(_TTL)} of ttlStrategy, are whole numbers of seconds, no more than "
        f"{_LONGEST}",
        reason="Invalid",
    )


def switches(specification: str) -> Manifest:
    """Return the rule of what may change later, of an expression of a specification."""
    return validation(
        f"type({specification}.?suspend.orValue(false)) == bool"
        f" && {specification}.?shutdown.orValue('') in {cel_literal(list(_SHUTDOWNS))}",
        "suspend is true or false, and shutdown is Stop or Terminate",
        reason="Invalid",
    )
