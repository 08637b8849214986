"""Argo's kinds on a cluster without Argo: definitions that store and validate objects, without a controller.

Their schemas are made from hera's models of Argo's API, so that the API server itself refuses unknown fields and wrong
types. No controller is there: what Argo does with an object is shown by ``argo/test_controller.py``.
"""

import json
from typing import Any

from hera.workflows import models
from tests.on_cluster.lab.cluster_base import ClusterBase
from tests.on_cluster.lab.services.definitions import wait_until_served

GROUP, VERSION = "argoproj.io", "v1alpha1"
KINDS = {
    "workflows": ("Workflow", models.Workflow),
    "workflowtemplates": ("WorkflowTemplate", models.WorkflowTemplate),
    "cronworkflows": ("CronWorkflow", models.CronWorkflow),
}
_ANYTHING = {"x-kubernetes-preserve-unknown-fields": True}
_KEPT = {"description", "enum", "required", "format"}
# The object's own metadata is the API server's business.
_SERVERS_OWN = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}


def definitions() -> list[dict[str, Any]]:
    """Return the CustomResourceDefinitions."""
    return [_definition(plural, kind, model) for plural, (kind, model) in KINDS.items()]


def install(cluster: ClusterBase) -> None:
    """Install Argo's kinds in a cluster."""
    for definition in definitions():
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(definition))
    wait_until_served(cluster, GROUP)


def remove(cluster: ClusterBase) -> None:
    """Delete Argo's kinds, with all objects."""
    cluster.kubectl("delete", "--ignore-not-found", *_names())


def _names() -> list[str]:
    return [f"crd/{definition['metadata']['name']}" for definition in definitions()]


def _definition(plural: str, kind: str, model: Any) -> dict[str, Any]:
    whole = model.model_json_schema(by_alias=True)
    spec = _structural(whole["properties"]["spec"], whole["$defs"], ())
    schema = {"type": "object", "properties": {**_SERVERS_OWN, "spec": spec, "status": {"type": "object", **_ANYTHING}}}
    version = {"name": VERSION, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [version],
        },
    }


def _structural(schema: dict[str, Any], named: dict[str, Any], above: tuple[str, ...]) -> dict[str, Any]:
    """Return a schema without references, as Kubernetes requires; a recursive type accepts anything."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return dict(_ANYTHING) if name in above else _structural(named[name], named, (*above, name))
    choices = [one for one in schema.get("anyOf", schema.get("allOf", [])) if one.get("type") != "null"]
    if len(choices) == 1:
        return _structural(choices[0], named, above)
    if choices:
        types = {one.get("type") for one in choices}
        return {"x-kubernetes-int-or-string": True} if types <= {"integer", "string"} else dict(_ANYTHING)
    kind = schema.get("type")
    made = {key: schema[key] for key in _KEPT if key in schema and key != "format"}
    if kind == "object":
        made["type"] = "object"
        if schema.get("properties"):
            made["properties"] = {
                key: _structural(item, named, above) for key, item in schema["properties"].items()
            }  # fmt: skip
        elif isinstance(schema.get("additionalProperties"), dict):
            made["additionalProperties"] = _structural(schema["additionalProperties"], named, above)
        else:
            made.update(_ANYTHING)
        return made
    if kind == "array":
        return made | {"type": "array", "items": _structural(schema.get("items", {}), named, above)}
    return made | {"type": kind} if kind else dict(_ANYTHING)
