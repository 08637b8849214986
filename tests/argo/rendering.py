"""The pod that Argo makes of a template: defaults joined, tags filled in, patches applied.

It stands in for the controller where there is none; ``tests/on_cluster/argo/test_controller.py`` runs a real one.
"""

import copy
import json
import re

import yaml

EXECUTOR_IMAGE = "argoexec"
WORKFLOW = "phase2-abcde"

_TAG = re.compile(r"\{\{([^{}]+)\}\}")
_VARIABLE = re.compile(r"(?:workflow|inputs)\.parameters(?:\.\w+|\['[^']+'\])|\bretries\b")
_CHOICE = re.compile(r"(?P<when>.+?) \? (?P<then>.+?) : (?P<otherwise>.+)")
# Lists whose entries are merged by this key rather than replaced.
_MERGE_KEYS = {
    "containers": "name", "initContainers": "name", "volumes": "name", "env": "name", "volumeMounts": "mountPath",
}  # fmt: skip


class UnresolvedError(Exception):
    """A tag that nothing fills in."""


def render_pod(template: dict, name: str, parameters=None, inputs=None, retries: int = 0) -> dict:
    """The pod of one template of a WorkflowTemplate, of its first or a further attempt."""
    spec = copy.deepcopy(template["spec"])
    values = {f"workflow.parameters.{one['name']}": one["value"] for one in spec["arguments"]["parameters"]}
    values |= {f"workflow.parameters.{key}": word for key, word in (parameters or {}).items()}
    values |= {f"inputs.parameters.{key}": word for key, word in (inputs or {}).items()}
    values |= {"retries": str(retries)}
    values |= {"workflow.name": WORKFLOW, "workflow.status": "Failed", "workflow.failures": '"[]"'}
    own = next(one for one in spec["templates"] if one["name"] == name)
    own["container"] = merged(spec["templateDefaults"]["container"], own["container"])
    own, spec_patch = fill(own, values), fill(spec["podSpecPatch"], values)
    mounted = {mount["name"] for mount in own["container"]["volumeMounts"]}
    pod = {
        "restartPolicy": "Never",
        "serviceAccountName": spec["serviceAccountName"],
        "automountServiceAccountToken": spec["automountServiceAccountToken"],
        "securityContext": spec["securityContext"],
        "initContainers": [{"name": "init", "image": EXECUTOR_IMAGE}],
        "containers": [{"name": "wait", "image": EXECUTOR_IMAGE}, {"name": "main", **own["container"]}],
        "volumes": [one for one in spec["volumes"] if one["name"] in mounted],
    }
    for patch in (spec_patch, own.get("podSpecPatch")):
        if patch:
            pod = merged(pod, yaml.safe_load(patch))
    labels = spec["podMetadata"]["labels"] | own.get("metadata", {}).get("labels", {})
    metadata = {"name": f"{WORKFLOW}-{name}", "namespace": template["metadata"]["namespace"], "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod}


def fill(content, values: dict[str, str]):
    """Replace tags in the JSON text of a template, as Argo does; a tag without a value is an error."""

    def word(found: re.Match) -> str:
        if found[1].startswith("="):
            return json.dumps(evaluated(found[1][1:], values))[1:-1]
        if found[1] not in values:
            raise UnresolvedError(found[1])
        return json.dumps(values[found[1]])[1:-1]

    return json.loads(_TAG.sub(word, json.dumps(content)))


def evaluated(expression: str, values: dict[str, str]) -> str:
    """The value of an expression ``a || b ? c : d``, in Python's words."""

    def word(found: re.Match) -> str:
        name = _name(found[0])
        if name not in values:
            raise UnresolvedError(name)
        return repr(values[name])

    choice = _CHOICE.fullmatch(_VARIABLE.sub(word, expression).replace("||", "or"))
    assert choice is not None, expression
    when, then, otherwise = choice["when"], choice["then"], choice["otherwise"]
    return str(eval(f"({then}) if ({when}) else ({otherwise})", {"__builtins__": {}}))


def tags(content) -> set[str]:
    """All variables that the tags of a template name."""
    found = _TAG.findall(json.dumps(content))
    plain = {tag for tag in found if not tag.startswith("=")}
    return plain | {_name(one) for tag in found if tag.startswith("=") for one in _VARIABLE.findall(tag)}


def _name(variable: str) -> str:
    return variable.replace("['", ".").removesuffix("']")


def merged(base, patch, key: str = ""):
    """A strategic merge: mappings by key, the lists of ``_MERGE_KEYS`` by name, everything else replaced."""
    if isinstance(base, dict) and isinstance(patch, dict):
        return {k: merged(base[k], patch[k], k) if k in base and k in patch else patch.get(k, base.get(k))
                for k in (*base, *(k for k in patch if k not in base))}  # fmt: skip
    if isinstance(base, list) and isinstance(patch, list) and key in _MERGE_KEYS:
        by = _MERGE_KEYS[key]
        patches = {item[by]: item for item in patch}
        joined = [merged(item, patches.pop(item[by])) if item[by] in patches else item for item in base]
        return joined + list(patches.values())
    return copy.deepcopy(patch)
