"""The page of the files of a run: every JSON file, field by field."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel, TypeAdapter

from phase2.runs.records.attempts import Attempt
from phase2.runs.records.crystals import RunCrystals
from phase2.runs.records.history import EpochRow
from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.results import Results
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.report.markdown import markup_table


def manifest_page() -> str:
    """Return the page, from the schemas of the files and their docstrings."""
    files = {
        "run_manifest.json": RunManifest,
        "results.json": Results,
        "run_config.json": RecordedConfig,
        "history.json": EpochRow,
        "attempts.json": Attempt,
        "crystals.json": RunCrystals,
    }
    parts = [_MANIFEST_INTRODUCTION]
    described: set[str] = set()
    for name, model in files.items():
        kind = "A list of" if name in ("history.json", "attempts.json") else "One"
        parts.append(f"## {name}\n\n{kind} [{model.__name__}](#{model.__name__.lower()}).\n")
        parts += _sections(model, described)
    return "\n".join(parts)


_MANIFEST_INTRODUCTION = """\
# Files of a run

`run_manifest.json` is written last: a run is finished when its manifest says `"status": "finished"`. All files are
UTF-8 JSON without NaN; a number that does not exist is null. Times are UTC, ISO 8601. Readers refuse fields that they
do not know, and a `schema_version` newer than theirs.
"""


def _sections(model: type, described: set[str]) -> Iterator[str]:
    """Yield a section for a model and each model that its fields hold, every model once."""
    schema = TypeAdapter(model).json_schema()
    models = {found.__name__: found for found in models_in(model)}
    for name, found in {model.__name__: model, **models}.items():
        if name in described:
            continue
        described.add(name)
        yield f"### {name}\n\n{inspect.getdoc(found).splitlines()[0]}\n"  # type: ignore[union-attr]
        fields = (schema if found is model else schema["$defs"][name])["properties"]
        meanings = attributes(found)
        rows = [(f"`{key}`", _type(spec), meanings.get(key, "")) for key, spec in fields.items()]
        yield markup_table(("field", "type", "meaning"), rows) + "\n"


def attributes(model: type) -> dict[str, str]:
    """Return the "Attributes:" section of a class' docstring, those of its bases included."""
    text = inspect.getdoc(model) or ""
    _, _, section = text.partition("Attributes:\n")
    entries = re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, flags=re.MULTILINE)
    return {name: re.sub(r"\s+", " ", meaning).replace("``", "`") for name, meaning in entries}


def models_in(model: type) -> Iterator[type[BaseModel]]:
    """Yield the models that the fields of a model hold, at any depth."""
    fields = model.model_fields if issubclass(model, BaseModel) else {}
    for field in fields.values():
        for found in _classes(field.annotation):
            yield found
            yield from models_in(found)


def _classes(annotation: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _classes(argument)


def _type(spec: dict[str, Any]) -> str:
    """Return a field's type in words, from its JSON schema."""
    choices = spec.get("anyOf") or spec.get("oneOf")
    if choices:
        return " or ".join(_type(option) for option in choices)
    if "$ref" in spec:
        name = spec["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in spec or "enum" in spec:
        return ", ".join(f"`{value}`" for value in spec.get("enum") or [spec["const"]])
    return _CONTAINERS.get(spec["type"], _plain)(spec)


def _plain(spec: dict[str, Any]) -> str:
    return "time" if spec.get("format") == "date-time" else str(spec["type"])


_CONTAINERS: dict[str, Callable[[dict[str, Any]], str]] = {
    "array": lambda spec: (
        f"list of {_type(spec['items'])}" if "items" in spec else f"list of {len(spec['prefixItems'])}"
    ),
    "object": lambda spec: f"by name: {_type(spec['additionalProperties'])}",
}
