"""Strict YAML: the core schema of YAML 1.2, without anchors, tags and duplicate keys."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable
from typing import Any

import yaml

from phase2.errors import RequestError

LONGEST = 1_000_000
"""Maximum number of characters; a configuration has a few thousand."""

_NULL = re.compile(r"(?:~|null|Null|NULL|)")
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)")
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)


def parse_yaml(text: str, where: str) -> object:
    """Parse one YAML document into mappings, lists, strings, numbers, booleans and None.

    JSON is YAML. Unlike in PyYAML's safe loader, ``1e-3`` is a number, and ``on`` and ``2026-01-01`` are strings.

    Args:
        text: The document.
        where: Its name in messages.

    Raises:
        RequestError: It is invalid or too long, or has an anchor, an alias, a tag or a duplicate key.

    Example:
        >>> parse_yaml("training: {lr: 1e-3, patience: null}", "run.yaml")
        {'training': {'lr': 0.001, 'patience': None}}
    """
    if len(text) > LONGEST:
        raise RequestError(f"{where} has more than {LONGEST:,} characters.", fix="Give a configuration of a run.")
    if text.lstrip().startswith("{") and (found := _parse_json(text, where)) is not None:
        return found
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - derived from the safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}" if mark is not None else ""
        why = ", ".join(part for part in (error.context, error.problem) if part)
        raise RequestError(f"{where}{place} cannot be read.", why=f"{why}.", fix=_FIX) from error
    except yaml.YAMLError as error:  # a character that YAML does not allow
        why = " ".join(str(error).split())
        raise RequestError(f"{where} cannot be read.", why=f"{why}.", fix=_FIX) from error
    except RecursionError as error:
        raise RequestError(f"{where} cannot be read.", why="It is nested too deeply.", fix=_FIX) from error


_FIX = "Write plain YAML: names, colons and values; no anchors, aliases or tags."


def _parse_json(text: str, where: str) -> object | None:
    """Parse JSON, which may be indented with tabs, unlike YAML; return None for anything else."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        keys = [key for key, _ in pairs]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise RequestError(f"{where} cannot be read.", why=f"The key '{twice}' is there twice.", fix="Keep one.")
        return dict(pairs)

    try:
        return dict(json.loads(text, object_pairs_hook=unique))
    except (json.JSONDecodeError, RecursionError):
        return None


class _Loader(yaml.SafeLoader):
    """Loader of plain data."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.composer.ComposerError(None, None, "anchors and aliases are not read", event.start_mark)
        if getattr(event, "tag", None) is not None:
            raise yaml.composer.ComposerError(None, None, f"the tag '{event.tag}' is not read", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:str":
                raise yaml.constructor.ConstructorError(None, None, "a key is no name", key.start_mark)
            if key.value in seen:
                problem = f"the key '{key.value}' is there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def construct_float(self, node: yaml.ScalarNode) -> float:
        text = str(node.value).lower()
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))

    def construct_int(self, node: yaml.ScalarNode) -> int:
        try:
            return int(node.value)
        except ValueError as error:  # more digits than Python converts
            raise yaml.constructor.ConstructorError(None, None, "the number is too long", node.start_mark) from error


for _tag, _pattern, _first in (
    ("null", _NULL, ["~", "n", "N", ""]),
    ("bool", _BOOL, list("tTfF")),
    ("int", _INT, list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
):
    _whole = re.compile(rf"(?:{_pattern.pattern})\Z")
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _whole, _first)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_float)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_int)
