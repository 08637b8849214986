"""Admission policies: Argo accepts misspelt parameters and values outside ``enum``, so the API server refuses them."""

from tools.manifests.cel import cel_literal
from tools.manifests.yaml_text import Manifest

from .parameters import Parameter
from .pods import NAMESPACE

# Everything of a Workflow's specification but what people may set: workflowTemplateRef, arguments, suspend, shutdown,
# activeDeadlineSeconds, priority, ttlStrategy, podGC, volumeClaimGC, archiveLogs, workflowMetadata, metrics and
# artifactGC. Argo joins the rest into the template, over what stands there.
FORBIDDEN = (
    "affinity", "artifactRepositoryRef", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "executor",
    "hooks", "hostAliases", "hostNetwork", "imagePullSecrets", "nodeSelector", "onExit", "parallelism",
    "podDisruptionBudget", "podMetadata", "podPriorityClassName", "podSpecPatch", "retryStrategy",
    "schedulerName", "securityContext", "serviceAccountName", "synchronization", "templateDefaults",
    "templates", "tolerations", "volumeClaimTemplates", "volumes",
)  # fmt: skip


def policy(template: str, parameters: tuple[Parameter, ...]) -> Manifest:
    """Return the policy for Workflows of one template."""
    closed = {p.name: list(p.allowed) for p in parameters if p.choices and not p.is_list}
    lists = {p.name: list(p.choices) for p in parameters if p.is_list and p.choices}
    shapes = {p.name: p.shape for p in parameters if p.shape}
    variables = {
        "given": "object.spec.?arguments.?parameters.orValue([])",
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
    validations = [
        {
            "expression": "size(variables.unknown) == 0",
            "messageExpression": "'unknown parameter ' + variables.unknown.join(', ') + '; known: '"
            " + variables.known.join(', ')",
        },
        _refusal("wrong", "': choose one of ' + variables.choices[p.name].filter(c, c != '').join(', ')"),
        _refusal("foreign", "': only ' + variables.lists[p.name].join(', ') + ', between commas'"),
        _refusal("misshapen", "': must match ' + variables.shapes[p.name]"),
        *_combinations(parameters),
        {
            "expression": " && ".join(f"!has(object.spec.{field})" for field in FORBIDDEN)
            + " && object.spec.?entrypoint.orValue('main') == 'main'",
            "message": f"a Workflow of {template} sets arguments only; not {', '.join(FORBIDDEN)} or entrypoint",
        },
        {
            "expression": "variables.given.all(p, !has(p.valueFrom))",
            "message": "parameters are given as values; what valueFrom brings, nobody could look at here",
        },
    ]
    uses = f"has(object.spec.workflowTemplateRef) && object.spec.workflowTemplateRef.?name.orValue('') == '{template}'"
    # The controller updates the status all the time: only a new or changed specification is looked at.
    is_new = "request.operation == 'CREATE' || object.spec != oldObject.spec"
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": template},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": ["argoproj.io"],
                        "apiVersions": ["v1alpha1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["workflows"],
                    }
                ]
            },
            "matchConditions": [
                {"name": "uses-template", "expression": uses},
                {"name": "spec-is-new", "expression": is_new},
            ],
            "variables": [{"name": name, "expression": text} for name, text in variables.items()],
            "validations": validations,
        },
    }


def binding(template: str) -> Manifest:
    """Return the binding of a policy to the namespace of the runs."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": template},
        "spec": {
            "policyName": template,
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NAMESPACE}}},
        },
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
