"""The policy of the values of a template's parameters.

Argo accepts misspelt parameters and values outside ``enum``, so the API server refuses them, whoever asks.
"""

from phase2.properties import KEYS
from tools.manifests.admission.pods import is_gpu
from tools.manifests.argo.parameters import GPU_RESOURCE, Parameter
from tools.manifests.cel import cel_literal
from tools.manifests.yaml_text import Manifest

from .policies import policy as make_policy

# A CronWorkflow has the specification of its Workflows within its own.
_SPEC = "(object.kind == 'CronWorkflow' ? object.spec.?workflowSpec.orValue({}) : object.spec)"


def policy(template: str, parameters: tuple[Parameter, ...]) -> Manifest:
    """Return the policy for Workflows and CronWorkflows of one template."""
    closed = {p.name: list(p.allowed) for p in parameters if p.choices and not p.is_list}
    lists = {p.name: list(p.choices) for p in parameters if p.is_list and p.choices}
    shapes = {p.name: p.shape for p in parameters if p.shape}
    variables = {
        "given": f"{_SPEC}.?arguments.?parameters.orValue([])",
        "known": cel_literal([p.name for p in parameters]),
        "unknown": "variables.given.filter(p, !(p.name in variables.known)).map(p, p.name)",
        "choices": cel_literal(closed),
        "wrong": _wrong("choices", "!({value} in variables.choices[p.name])"),
        "lists": cel_literal(lists),
        "foreign": _wrong(
            "lists", "{value} != '' && !{value}.split(',').all(word, word.trim() in variables.lists[p.name])"
        ),
        "shapes": cel_literal(shapes),
        "misshapen": _wrong("shapes", "!{value}.matches(variables.shapes[p.name])"),
    }
    further: list[Manifest] = []
    if {"properties", "property"} <= {p.name for p in parameters}:
        variables |= _undefined_properties()
        further = [_refusal("undefined", "': only ' + variables.nine.join(', ') + ', or those that property defines'")]
    if GPU_RESOURCE in parameters:
        variables |= {
            "gpus": "[]",
            "devices": f"variables.given.filter(p, p.name == '{GPU_RESOURCE.name}' && {_VALUE} != ''"
            f" && !{is_gpu(_VALUE)})",
        }
        further.append(_refusal("devices", "': no GPU that the administrator names'"))
    validations = [
        {
            "expression": "size(variables.unknown) == 0",
            "messageExpression": "'unknown parameter ' + variables.unknown.join(', ') + '; known: '"
            " + variables.known.join(', ')",
        },
        _refusal("wrong", "': choose one of ' + variables.choices[p.name].filter(c, c != '').join(', ')"),
        _refusal("foreign", "': only ' + variables.lists[p.name].join(', ') + ', between commas'"),
        _refusal("misshapen", "': must match ' + variables.shapes[p.name]"),
        *further,
        *_combinations(parameters),
    ]
    changes = " || ".join(
        f"{new} != {new.replace('object', 'oldObject')}"
        for new in (f"{_SPEC}.?arguments.orValue({{}})", f"{_SPEC}.?workflowTemplateRef.orValue({{}})")
    )
    conditions = {
        "uses-template": f"{_SPEC}.?workflowTemplateRef.?name.orValue('') == '{template}'",
        # The controller updates the status all the time, and what runs is stopped whatever a newer policy would say.
        "arguments-are-new": f"request.operation == 'CREATE' || {changes}",
    }
    return make_policy(
        template,
        ["workflows", "cronworkflows"],
        conditions=conditions,
        variables=variables,
        validations=validations,
    )


def _undefined_properties() -> dict[str, str]:
    """Return the variables that find properties which are none of the nine and stand nowhere in those of one's own.

    What the text of a definition says exactly is read by the first step; here its words decide.
    """
    word = "word.trim() in variables.nine || variables.own.contains(word.trim())"
    return {
        "nine": cel_literal(list(KEYS)),
        "own": f"variables.given.filter(p, p.name == 'property').map(p, {_VALUE}).join(';')",
        "undefined": f"variables.given.filter(p, p.name == 'properties' && {_VALUE} != ''"
        f" && !{_VALUE}.split(',').all(word, {word}))",
    }


def _combinations(parameters: tuple[Parameter, ...]) -> list[Manifest]:
    """Return the rules for parameters that exclude each other, where a template has them."""
    names = {p.name for p in parameters}
    rules = [pair for pair in (("competition", "level"), ("all-properties", "properties")) if names >= set(pair)]
    return [
        {
            "expression": f"!(variables.given.exists(p, p.name == '{switch}' && {_VALUE} == 'true')"
            f" && variables.given.exists(p, p.name == '{other}' && {_VALUE} != ''))",
            "message": f"{switch}=true and {other} exclude each other",
        }
        for switch, other in rules
    ]


_VALUE = "p.?value.orValue('')"


def _wrong(table: str, condition: str) -> str:
    return f"variables.given.filter(p, p.name in variables.{table} && {condition.format(value=_VALUE)})"


def _refusal(found: str, complaint: str) -> Manifest:
    return {
        "expression": f"size(variables.{found}) == 0",
        # A line break in a message hides it.
        "messageExpression": f"variables.{found}.map(p, p.name + '=' + {_VALUE}.replace('\\n', ' ') + {complaint})"
        ".join('; ')",
    }
