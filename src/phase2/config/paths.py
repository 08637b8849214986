"""Registry of the settings of a run by dotted path, with their validation."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from phase2.config.assignments import LIMITS, SET, Setting
from phase2.config.data.splits import parse_split
from phase2.config.frozen import Frozen
from phase2.config.levels import Algorithm
from phase2.config.limits import ReadingLimits
from phase2.config.schema import (
    CgcnnConfig,
    DataConfig,
    EquivariantConfig,
    FineTuningConfig,
    FoundationConfig,
    GraphSpec,
    RunConfig,
    TrainingConfig,
)
from phase2.errors import RequestError, UnknownNameError

MODELS: Mapping[Algorithm, type[Frozen]] = {"cgcnn": CgcnnConfig, "e3nn": EquivariantConfig}

# Derived values, and what decides them.
DERIVED: Mapping[str, str] = {
    "algorithm": "It is given with --algorithm, or as algorithm in a configuration file.",
    "level": "It is given with --level, or as level in a configuration file.",
    "competition": "It is given with --competition, or as competition in a configuration file.",
    "all_properties": "It is given with --all-properties, or as all_properties in a configuration file.",
    "output": "It is given with --output: where a run is written is no part of it.",
    "mode": "It follows from --level or --competition.",
    "backend": "It follows from the algorithm and the level.",
    "family": "It follows from the algorithm and the level.",
    "data.own_properties": "They are given with --property or --properties-file, or as own_properties in a file.",
    "model.kind": "It follows from the algorithm.",
}


@dataclass(frozen=True, slots=True)
class SettingField:
    """Definition of one setting.

    Attributes:
        path: Its dotted path.
        owner: Model that declares it.
        info: Its field in that model.
    """

    path: str
    owner: type[Frozen]
    info: FieldInfo

    @property
    def name(self) -> str:
        """Name of the field in its model."""
        return self.path.rpartition(".")[2]

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of its value."""
        return _adapter(self.owner, self.name).json_schema()

    @property
    def expected(self) -> str:
        """Description of valid values: ``an integer of at least 1, or null``."""
        return describe_schema(self.schema)

    def check(self, setting: Setting) -> Setting:
        """Return a setting with its value validated; ``none`` is null where null is allowed.

        Raises:
            RequestError: The value has another type, or lies out of bounds.
            UnknownNameError: It is not in the closed list of names.
        """
        value, choices = setting.value, tuple(self.schema.get("enum", ()))
        if _is_nullable(self.schema) and isinstance(value, str) and value.lower() == "none":
            value = None
        if self.path == "data.split" and isinstance(value, str):
            parse_split(value)  # says more than that it is none
        if choices and isinstance(value, str) and value not in choices:
            raise UnknownNameError.of(self.path, value, choices)
        try:
            return replace(setting, value=_adapter(self.owner, self.name).validate_json(json.dumps(value), strict=True))
        except ValidationError as error:
            raise RequestError(
                f"{_shown(setting)} cannot be used.",
                why=f"Expected {self.expected}.",
                fix=f"{error.errors()[0]['msg']}.",
            ) from error


def settings_of_algorithm(algorithm: Algorithm) -> Mapping[str, SettingField]:
    """Return the settings of an algorithm by path, in the order of the configuration."""
    return _fields(algorithm)


def check_setting(setting: Setting, algorithm: Algorithm) -> Setting:
    """Return a setting with its value validated.

    Raises:
        RequestError: It is derived, or its value is invalid.
        UnknownNameError: There is no such path; the nearest is offered.
    """
    fields = settings_of_algorithm(algorithm)
    if setting.path not in fields:
        raise _unknown(setting, algorithm)
    return fields[setting.path].check(setting)


def describe_schema(spec: Mapping[str, Any]) -> str:
    """Describe a JSON Schema of one value in words.

    Example:
        >>> describe_schema({"type": "number", "exclusiveMinimum": 0, "maximum": 20})
        'a number above 0 and of at most 20'
    """
    if "anyOf" in spec:
        return ", or ".join(describe_schema(option) for option in spec["anyOf"])
    if "enum" in spec or "const" in spec:
        return "one of " + ", ".join(map(str, spec.get("enum") or [spec["const"]]))
    if spec["type"] == "array":
        return _describe_list(spec)
    noun = {"integer": "an integer", "number": "a number", "string": "a string", "boolean": "true or false"}
    bounds = [words.format(spec[key]) for key, words in _BOUNDS.items() if key in spec]
    return " ".join([noun.get(spec["type"], str(spec["type"])), " and ".join(bounds)]).strip()


_BOUNDS = {
    "minimum": "of at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "of at most {}",
    "exclusiveMaximum": "below {}",
}


def _describe_list(spec: Mapping[str, Any]) -> str:
    if "prefixItems" in spec:
        items = spec["prefixItems"]
        return f"a list in brackets of {len(items)} values, each {describe_schema(items[0])}"
    sizes = [str(spec[key]) for key in ("minItems", "maxItems") if key in spec]
    many = f"{' to '.join(sizes)} values" if len(sizes) == 2 else "values"
    return f"a list in brackets of {many}, each {describe_schema(spec['items'])}"


def _shown(setting: Setting) -> str:
    return f"{SET} {setting.text}" if setting.origin == SET else f"{setting.text} ({setting.origin})"


@cache
def _fields(algorithm: Algorithm) -> Mapping[str, SettingField]:
    return {field.path: field for field in _walk(algorithm)}


def _walk(algorithm: Algorithm) -> Iterator[SettingField]:
    groups: tuple[tuple[str, type[Frozen]], ...] = (
        ("", RunConfig),
        ("data.", DataConfig),
        ("data.graph.", GraphSpec),
        (LIMITS, ReadingLimits),
        ("model.", MODELS[algorithm]),
        ("training.", TrainingConfig),
        ("foundation.", FoundationConfig),
        ("fine_tuning.", FineTuningConfig),
    )
    parts = {"data", "model", "training", "data.graph", "data.limits", "foundation", "fine_tuning"}
    for prefix, owner in groups:
        for name, info in owner.model_fields.items():
            path = prefix + name
            if path not in DERIVED and path not in parts:
                yield SettingField(path, owner, info)


@cache
def _adapter(owner: type[Frozen], name: str) -> TypeAdapter[Any]:
    info = owner.model_fields[name]
    annotated: Any = Annotated[info.annotation, Field(), *info.metadata]
    return TypeAdapter(annotated, config={"allow_inf_nan": False})


def _is_nullable(spec: Mapping[str, Any]) -> bool:
    return any(option.get("type") == "null" for option in spec.get("anyOf", ()))


def _unknown(setting: Setting, algorithm: Algorithm) -> RequestError:
    path, known = setting.path, settings_of_algorithm(algorithm)
    where = "" if setting.origin == SET else f" ({setting.origin})"
    if path in DERIVED:
        return RequestError(f"'{path}' cannot be set{where}.", why=DERIVED[path], fix="Drop it.")
    below = [name for name in known if name.startswith(f"{path}.")]
    if below:
        fix = f"Set what it holds: {', '.join(below)}."
        return RequestError(f"'{path}' is a group of settings, not a setting{where}.", fix=fix)
    other = next((name for name in MODELS if name != algorithm and path in settings_of_algorithm(name)), None)
    if other is not None:
        own = [name for name in known if name.startswith("model.")]
        return RequestError(
            f"'{path}' is no setting of {algorithm}{where}.",
            why=f"It belongs to the network of {other}.",
            fix=f"The network of {algorithm} has {', '.join(own)}.",
        )
    nearest = _nearest(path, known)
    return UnknownNameError(
        f"Unknown setting '{path}'{where}.",
        why=f"A run of {algorithm} has no such setting.",
        fix=f"Did you mean '{nearest}'?" if nearest else "'phase2 explain' lists all settings.",
    )


def _nearest(path: str, known: Mapping[str, SettingField]) -> str | None:
    """Return the most similar path; a path with the same last name wins, as its group may be missing or wrong."""
    whole = difflib.get_close_matches(path, known, n=1, cutoff=0.6)
    last = path.rpartition(".")[2]
    by_last_name = {name.rpartition(".")[2]: name for name in known}
    if last in by_last_name:
        return by_last_name[last]
    same = difflib.get_close_matches(last, by_last_name, n=1, cutoff=0.75)
    if same and not (whole and whole[0].rpartition(".")[0] == path.rpartition(".")[0]):
        return by_last_name[same[0]]
    return whole[0] if whole else None
