"""The templates that ``argo submit`` copies into the status of a new Workflow, held to be copies of ours.

Argo's command line and server resolve the templates of a Workflow while they validate it, and submit what they found
as ``status.storedTemplates``. The controller uses it for steps that name a template of another object, which
ours never do. What passes here can say no more than our own steps say: a program's image, command, keys and rights are
in ``templateDefaults`` and in the specification, so that no genuine copy has them.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from phase2.cluster.manifests.installed import SERVICES_SECRET, service_names
from phase2.cluster.request.installation import CONFIG_MAP
from tools.manifests.argo.serialization import to_manifest
from tools.manifests.argo.workflows import workflow_templates
from tools.manifests.cel import cel_literal
from tools.manifests.yaml_text import Manifest

from .policies import none_of, validation
from .specification import FOR_PEOPLE

PROBES = "probes"
"""Variable with the commands of readiness probes, which the chart sets where it protects trainings."""

_FIELDS = (
    "name", "inputs", "outputs", "metadata", "container", "steps", "retryStrategy", "podSpecPatch", "parallelism",
    "priorityClassName", "activeDeadlineSeconds", "timeout",
)  # fmt: skip
_CONTAINER = ("name", "args", "env", "ports", "resources", "volumeMounts", "readinessProbe")
_STEP = ("name", "template", "arguments", "withParam", "withSequence", "continueOn", "when")
_ARTIFACT = ("name", "path", "s3", "archive")
_OUTPUT = ("name", "valueFrom", "globalName")


def variables(template: str) -> dict[str, str]:
    """Return what the rule looks at, by name.

    Args:
        template: Expression of the name of the Workflow's template.
    """
    conditions = [
        f"key in {cel_literal(_keys())} && key.startsWith('namespaced/' + {template} + '/')",
        "key.endsWith('/' + t.name)",
        _closed("t", _FIELDS),
        f"t.?podSpecPatch.orValue('') in {cel_literal(['', *_found('podSpecPatch')])}",
        f"t.?retryStrategy.?expression.orValue('') in {cel_literal(['', *_found('retryStrategy', 'expression')])}",
        _closed("t.?inputs.orValue({})", ("parameters",)),
        f"t.?inputs.?parameters.orValue([]).all(p, {_closed('p', ('name',))})",
        *_container(),
        *_outputs(),
        *_steps(),
        *_labels(),
    ]
    genuine = " && ".join(f"({condition})" for condition in conditions)
    return {
        PROBES: "[]",
        "stored": "request.operation == 'CREATE' ? variables.status.?storedTemplates.orValue({}) : {}",
        "forged": f"variables.stored.filter(key, ![variables.stored[key]].all(t, {genuine}))",
    }


def rules() -> list[Manifest]:
    """Return the rule of the stored templates."""
    return [
        validation("type(variables.stored) == map", "status.storedTemplates is a map of templates: leave it out"),
        none_of(
            "forged",
            "status.storedTemplates of a new Workflow are copies of the steps of its own template, as the command line "
            "of Argo makes them, and nothing else: {}",
        ),
    ]


def _container() -> list[str]:
    env = (
        f"{_closed('e', ('name', 'value', 'valueFrom'))} && e.?value.orValue('') in {cel_literal(_values())}"
        " && e.?valueFrom.orValue({}).all(field, field == 'configMapKeyRef' || field == 'secretKeyRef')"
        f" && e.?valueFrom.?configMapKeyRef.?name.orValue('{CONFIG_MAP}') == '{CONFIG_MAP}'"
        f" && e.?valueFrom.?secretKeyRef.?name.orValue('{SERVICES_SECRET}') == '{SERVICES_SECRET}'"
        f" && (e.?valueFrom.?secretKeyRef.orValue({{}}) == {{}} || e.name in {cel_literal(service_names())}"
        " && e.valueFrom.secretKeyRef.?key.orValue('') == e.name)"
    )
    calls = ["".join(f"{word}\n" for word in args) for args in _found("container", "args")]
    words = [word for args in _found("container", "args") for word in args]
    return [
        _closed("t.?container.orValue({})", _CONTAINER),
        "t.?container.?resources.orValue({}) == {}",
        f"t.?container.?args.orValue([]).all(word, !word.contains('{{{{') || word in {cel_literal(_tags(words))})",
        # An installation may add options behind those of a step.
        "[t.?container.?args.orValue([])].all(args, size(args) == 0"
        f" || {cel_literal(calls)}.exists(call, (args.join('\\n') + '\\n').startsWith(call)))",
        f"t.?container.?env.orValue([]).all(e, {env})",
        "t.?container.?volumeMounts.orValue([]).all(mount, mount.name == 'cache' && mount.mountPath == '/work/cache')",
        f"!has(t.container) || !has(t.container.readinessProbe)"
        f" || t.container.readinessProbe.?exec.?command.orValue([]) in variables.{PROBES}",
    ]


def _outputs() -> list[str]:
    return [
        _closed("t.?outputs.orValue({})", ("parameters", "artifacts")),
        f"t.?outputs.?parameters.orValue([]).all(p, {_closed('p', _OUTPUT)}"
        f" && {_closed('p.?valueFrom.orValue({})', ('path', 'parameter'))})",
        f"t.?outputs.?artifacts.orValue([]).all(a, {_closed('a', _ARTIFACT)}"
        f" && {_closed('a.?s3.orValue({})', ('key',))} && {_closed('a.?archive.orValue({})', ('none',))})",
    ]


def _steps() -> list[str]:
    conditions = ["", *dict.fromkeys(step["when"] for step in _every_step() if step.get("when"))]
    step = (
        f"{_closed('step', _STEP)} && step.?when.orValue('') in {cel_literal(conditions)}"
        f" && {_closed('step.?arguments.orValue({})', ('parameters',))}"
        f" && step.?arguments.?parameters.orValue([]).all(p, {_closed('p', ('name', 'value'))}"
        f" && p.value in {cel_literal(_passed())})"
    )
    return [f"t.?steps.orValue([]).all(group, group.all(step, {step}))"]


def _labels() -> list[str]:
    tags = _tags([value for labels in _found("metadata", "labels") for value in labels.values()])
    return [
        _closed("t.?metadata.orValue({})", ("labels", "annotations")),
        f"t.?metadata.?labels.orValue({{}}).all(name, !t.metadata.labels[name].contains('{{{{')"
        f" || t.metadata.labels[name] in {cel_literal(tags)})",
        "t.?metadata.?annotations.orValue({}).all(name, !t.metadata.annotations[name].contains('{{'))",
    ]


@cache
def _templates() -> list[tuple[str, Manifest]]:
    """Return every step of the WorkflowTemplates that people submit, with the names of the latter."""
    manifests = [to_manifest(one) for one in workflow_templates()]
    named = {one["metadata"]["name"]: one["spec"]["templates"] for one in manifests}
    return [(name, step) for name in FOR_PEOPLE for step in named[name]]


def _keys() -> list[str]:
    return [f"namespaced/{template}/{step['name']}" for template, step in _templates()]


def _found(*path: str) -> list[Any]:
    """Return the different contents of a field of the steps."""
    contents: list[Any] = []
    for _, step in _templates():
        content: Any = step
        for name in path:
            content = (content or {}).get(name)
        if content is not None and content not in contents:
            contents.append(content)
    return contents


def _tags(texts: list[str]) -> list[str]:
    """Return the different texts that hold a tag of Argo."""
    return sorted({text for text in texts if "{{" in text})


def _values() -> list[str]:
    """Return the different values of variables of the steps; one that is empty is left out of a copy."""
    return ["", *dict.fromkeys(one["value"] for env in _found("container", "env") for one in env if one.get("value"))]


def _passed() -> list[str]:
    """Return the different values of parameters that one step hands to another."""
    return list(dict.fromkeys(_arguments()))


def _arguments() -> Iterator[str]:
    for step in _every_step():
        yield from (one["value"] for one in (step.get("arguments") or {}).get("parameters", []))


def _every_step() -> list[Manifest]:
    return [step for groups in _found("steps") for group in groups for step in group]


def _closed(expression: str, fields: tuple[str, ...]) -> str:
    """Return the condition that a map has these keys alone."""
    return f"{expression}.all(field, field in {cel_literal(list(fields))})"
