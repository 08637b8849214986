"""values.schema.json: the structure of values.yaml, with the rule of each value."""

import json
from typing import Any

from .rules import RULES
from .values import Value, leaves

Schema = dict[str, Any]


def schema(content: dict[str, Any], described: list[Value]) -> str:
    """Return the schema of these values.

    Args:
        content: Content of values.yaml.
        described: Its values with their descriptions.

    Raises:
        ValueError: A value has no rule or no description, or a rule no value.
    """
    words = {one.path: one.description for one in described}
    there = leaves(content, set(words))
    names = {".".join(path) for path in there}
    if names != RULES.keys() or set(there) != words.keys():
        odd = sorted(names ^ RULES.keys()) + sorted(".".join(path) for path in set(there) ^ words.keys())
        raise ValueError(f"values.yaml, its comments and rules.py differ about {', '.join(odd)}")
    made = _object(content, words, ())
    # Helm hands on what a chart above this one shares with all of its parts.
    made["properties"]["global"] = {"type": "object", "description": "Values that a chart above this one shares."}
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of phase2-runner"}
    return json.dumps({**head, **made}, indent=2) + "\n"


def _object(content: dict[str, Any], words: dict[tuple[str, ...], str], path: tuple[str, ...]) -> Schema:
    properties = {}
    for key, item in content.items():
        here = (*path, key)
        if here in words:
            properties[key] = {"description": words[here], **RULES[".".join(here)]}
        else:
            properties[key] = _object(item, words, here)
    # Helm removes a value that is set to null: none may be missing.
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
