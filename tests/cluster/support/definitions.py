"""Schemas of kinds that are not Kubernetes' own, from their projects' CustomResourceDefinitions."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator


def read_definitions(folder: Path) -> list[dict[str, Any]]:
    """Read the definitions of a folder; each says where it is from and under which licence."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def complaints(one: dict[str, Any], definitions: Sequence[dict[str, Any]]) -> list[str]:
    """Return what the definition of an object's kind refuses in it, unknown fields among it."""
    group, _, version = one["apiVersion"].partition("/")
    (definition,) = [each for each in definitions if (each["group"], each["kind"]) == (group, one["kind"])]
    schema = closed(definition["versions"][version])
    schema["properties"]["metadata"] = {"type": "object"}
    return [error.message for error in Draft202012Validator(schema).iter_errors(one)]


def closed(schema: Any) -> Any:
    """Return a schema that refuses fields it does not name, which the API server would prune."""
    if not isinstance(schema, dict):
        return schema
    made = {
        key: {name: closed(one) for name, one in value.items()} if key == "properties" else closed(value)
        for key, value in schema.items()
    }
    if "properties" in made and not made.get("x-kubernetes-preserve-unknown-fields"):
        made.setdefault("additionalProperties", False)
    return made
