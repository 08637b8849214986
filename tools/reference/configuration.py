"""The configuration file of a run: a page of all settings, and a JSON Schema for editors."""

import json
from collections.abc import Sequence
from typing import Any

from phase2.config.assignments import LIMITS, Setting
from phase2.config.levels import ALGORITHMS, LEVELS, Algorithm
from phase2.config.paths import SettingField, settings_of_algorithm
from phase2.config.request.options import BACKBONE, FIELD_PATHS, FLAG_PATHS, flag
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import SOURCE_DIGEST, flatten, resolve
from phase2.properties import KEYS
from phase2.runs.report.markdown import markup_table

from .run_files import attributes

SCHEMA_NAME = "run-config.schema.json"

_WORDS: dict[str, dict[str, Any]] = {
    "algorithm": {"enum": list(ALGORITHMS), "description": "Kind of the network (default: e3nn)."},
    "level": {"enum": [*LEVELS, None], "description": "What is trained (default: std); excludes competition."},
    "competition": {"type": "boolean", "description": "Train the competition profile instead of a level."},
    "all_properties": {"type": "boolean", "description": "Train all nine properties; excludes properties."},
}
_GROUPS = {
    "data": "Which crystals, as which graphs, in which parts.",
    "data.graph": "How a crystal becomes a graph.",
    "data.limits": "What is read of files; what exceeds a limit costs its own row.",
    "model": "The network.",
    "training": "How it is fitted.",
    "foundation": "The pretrained potential whose features it reads.",
    "fine_tuning": "The trained model that it starts from.",
}


def configuration_page() -> str:
    """Return the page of all settings: path, what it takes, default, option and meaning."""
    shared = [path for path in settings_of_algorithm("cgcnn") if not path.startswith("model.")]
    limits = [path for path in shared if path.startswith(LIMITS)]
    parts = {
        "shared": _settings_table(ALGORITHMS, [path for path in shared if path not in limits]),
        "limits": _settings_table(ALGORITHMS, limits),
    }
    for algorithm in ALGORITHMS:
        own = [path for path in settings_of_algorithm(algorithm) if path.startswith("model.")]
        parts[algorithm] = _settings_table((algorithm,), own)
    words = markup_table(("name", "meaning"), [(f"`{name}`", spec["description"]) for name, spec in _WORDS.items()])
    return _PAGE.format(words=words, schema=SCHEMA_NAME, **parts)


_PAGE = """\
# Configuration of a run

Every setting, by the dotted path that `--set` takes. A configuration file (`--config run.yaml`) nests the same names:
`training.patience` is `training: {{patience: 20}}`. A default is overridden by the level, the level by the file, the
file by `--set`, and `--set` by an option. `phase2 explain` shows which of them each value of a run comes from, and
`phase2 explain --yaml` writes a file ([how to](../how-to/configure-a-run.md)).

## Settings of every run

"level" stands for a value of the [levels table](levels.md).

{shared}

## Limits of reading

A file or record that exceeds one is rejected before a parser sees it, and costs its own row
([how to](../how-to/your-own-data.md), [decision](../decisions/044-limits-of-reading.md)). Those that have their default
are left out of what a run records.

{limits}

## Network of cgcnn

{cgcnn}

## Network of e3nn

{e3nn}

The settings of `foundation` are those of runs that read the features of a pretrained potential (`--backbone`,
[how to](../how-to/pretrained-features.md)), and those of `fine_tuning` of runs that start from a trained model
(`--from`, [how to](../how-to/fine-tune.md)); other runs have none of them. The SHA-256 is found when the request is
made.

A named size stands for several settings (width and convolutions, or channels and layers); those that are given besides
it are kept.

## Besides settings

A file may also have these names, which are options on the command line:

{words}

Mode, backend and family of a run follow from these and cannot be set. Where a run is written (`--output`) is no part of
it. Editors check and complete a file by [{schema}]({schema}).
"""


def _settings_table(algorithms: Sequence[Algorithm], paths: list[str]) -> str:
    fields = settings_of_algorithm(algorithms[0])
    options = {path: flag(name) for name, path in FLAG_PATHS.items()}
    options |= {path: flag(name) for path, name in FIELD_PATHS.items()}
    rows = [
        (
            f"`{path}`",
            fields[path].expected,
            _defaults(fields[path], algorithms),
            f"`{options[path]}`" if path in options else "",
            _meaning(fields[path]),
        )
        for path in paths
    ]
    return markup_table(("path", "takes", "default", "option", "meaning"), rows)


def _defaults(field: SettingField, algorithms: Sequence[Algorithm]) -> str:
    by_algorithm = {algorithm: _default(field, algorithm) for algorithm in algorithms}
    if len(set(by_algorithm.values())) == 1:
        return by_algorithm[algorithms[0]]
    return "; ".join(f"{value} ({algorithm})" for algorithm, value in by_algorithm.items())


def _default(field: SettingField, algorithm: Algorithm) -> str:
    run = resolve(
        RunRequest(
            algorithm=algorithm, backbone="sevennet-0", from_="RUN", settings=(Setting(SOURCE_DIGEST, "0" * 64),)
        )
    )
    if field.path in (BACKBONE, "fine_tuning.source", SOURCE_DIGEST):
        return ""
    if field.path.startswith(LIMITS):
        return str(field.info.default)
    if "level" in run.origins.get(field.path, "") or field.path == "data.max_samples":
        return "level"
    # What is left out of the configuration where it has its default.
    value = dict(flatten(run.config.model_dump(mode="json"))).get(field.path, field.info.default)
    return (
        "null"
        if value is None
        else str(value).lower()
        if isinstance(value, bool)
        else ", ".join(map(str, value)) or "[]"
        if isinstance(value, list)
        else str(value)
    )


def _meaning(field: SettingField) -> str:
    return attributes(field.owner)[field.name]


def configuration_schema() -> str:
    """Return the JSON Schema of a configuration file."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Generated by tools.reference; do not edit.",
        "title": "Configuration of a phase2 run",
        **_group("", [path for path in settings_of_algorithm("cgcnn") if not path.startswith("model.")]),
        "$defs": {f"{name}_model": _model(name) for name in ALGORITHMS},
        "if": {"properties": {"algorithm": {"const": "cgcnn"}}, "required": ["algorithm"]},
        "then": {"properties": {"model": {"$ref": "#/$defs/cgcnn_model"}}},
        "else": {"properties": {"model": {"$ref": "#/$defs/e3nn_model"}}},
        "not": {"properties": {"competition": {"const": True}, "level": {"type": "string"}},
                "required": ["competition", "level"]},
    }  # fmt: skip
    document["properties"] = _WORDS | document["properties"] | {"model": {"description": _GROUPS["model"]}}
    document["properties"]["properties"]["items"] = {"enum": list(KEYS)}
    return json.dumps(document, indent=2) + "\n"


def _model(algorithm: Algorithm) -> dict[str, Any]:
    paths = [path for path in settings_of_algorithm(algorithm) if path.startswith("model.")]
    return _group("model.", paths, algorithm)


def _group(prefix: str, paths: list[str], algorithm: Algorithm = "e3nn") -> dict[str, Any]:
    """The schema of a mapping with the settings below a prefix, and the groups below that."""
    fields = settings_of_algorithm(algorithm)
    inside = [path.removeprefix(prefix) for path in paths if path.startswith(prefix)]
    properties: dict[str, Any] = {}
    for name in inside:
        first, dot, _ = name.partition(".")
        if not dot:
            field = fields[prefix + name]
            properties[name] = field.schema | {"description": _meaning(field)}
        elif first not in properties:
            properties[first] = _group(f"{prefix}{first}.", paths, algorithm)
    described = {"description": _GROUPS[prefix.rstrip(".")]} if prefix else {}
    kinds: list[str] | str = ["object", "null"] if prefix else "object"
    return described | {"type": kinds, "additionalProperties": False, "properties": properties}
