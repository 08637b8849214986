"""The table of an installation: what runs get of the cluster, by algorithm and mode. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from phase2.cluster.request.limits import MAX_GPUS_FIELD, MAX_NODES_FIELD, RunLimits
from phase2.config.levels import ALGORITHMS, MODES
from phase2.errors import Phase2Error, RequestError, UnknownNameError

ALL = "all"
"""Row or column of the table that stands for every algorithm, or for every mode."""

Fields = Mapping[str, Any]
Rows = Mapping[str, Mapping[str, Fields]]


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError("a text or a number")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("a whole number")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("a mapping")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("a list")
    return value


def _labels(value: Any) -> tuple[str, ...]:
    return tuple(f"{key}={_text(word)}" for key, word in _mapping(value).items())


def _objects(value: Any) -> tuple[str, ...]:
    return tuple(json.dumps(_mapping(one)) for one in _list(value))


_FIELDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "gpus": ("gpus", _count),
    "gpuResource": ("gpu_resource", _text),
    "cpu": ("cpu", _text),
    "memory": ("memory", _text),
    "ephemeralStorage": ("ephemeral_storage", _text),
    "sharedMemory": ("shared_memory", _text),
    "nodeSelector": ("node_selector", _labels),
    "tolerations": ("toleration", _objects),
    "affinity": ("affinity", lambda value: json.dumps(_mapping(value))),
    "topologySpreadConstraints": ("topology_spread", _objects),
    "queue": ("queue", _text),
    "priority": ("priority", _text),
    "runtimeClass": ("runtime_class", _text),
}
"""Fields of the table: the cluster option that each gives, and how it is read. Their forms are those of a pod."""

_READ: Mapping[str, Callable[[Any], Any]] = {
    **{name: read for name, (_, read) in _FIELDS.items()},
    # These give a run nothing, and limit what it may ask for.
    MAX_NODES_FIELD: _count,
    MAX_GPUS_FIELD: _count,
}

FIELDS = tuple(_READ)


@dataclass(frozen=True, slots=True)
class RunDefaults:
    """Resources and placement by algorithm and mode.

    Attributes:
        rows: Fields by algorithm (or ``all``) and mode (or ``all``).
    """

    rows: Rows = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> RunDefaults:
        """Parse the YAML of the table: algorithm or ``all``, then mode or ``all``, then fields.

        Raises:
            RequestError: It is no such table, or a value has another form.
            UnknownNameError: There is no such algorithm, mode or field.
        """
        import yaml

        try:
            rows = yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            raise _invalid("", f"It is not YAML: {' '.join(str(error).split())}") from error
        for algorithm, modes in _named(rows, "algorithm", ALGORITHMS, ""):
            for mode, values in _named(modes, "level", MODES, algorithm):
                _check(values, f"{algorithm}.{mode}")
        return cls({a: {m: dict(values or {}) for m, values in (modes or {}).items()} for a, modes in rows.items()})

    def options(self, algorithm: str, mode: str) -> dict[str, Any]:
        """Return the cluster options of a run: of each field, the value of the most specific row."""
        found = self._fields(algorithm, mode)
        return {option: found[name] for name, (option, _) in _FIELDS.items() if name in found}

    def limits(self, algorithm: str, mode: str) -> RunLimits:
        """Return what a run may use at most: of each limit, that of the most specific row."""
        found = self._fields(algorithm, mode)
        return RunLimits(found.get(MAX_NODES_FIELD), found.get(MAX_GPUS_FIELD))

    def values_of(self, field: str) -> list[str]:
        """Return the different texts that the rows have for a field, in order."""
        fields = [values for modes in self.rows.values() for values in modes.values()]
        return sorted({str(values[field]) for values in fields if values.get(field) not in ("", None)})

    def _fields(self, algorithm: str, mode: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for row, column in ((ALL, ALL), (ALL, mode), (algorithm, ALL), (algorithm, mode)):
            found |= self.rows.get(row, {}).get(column, {})
        # Empty texts, as a chart writes them, are not given.
        return {name: _READ[name](value) for name, value in found.items() if value not in ("", None)}


def _named(content: Any, kind: str, known: tuple[str, ...], where: str) -> list[tuple[str, Any]]:
    if content is None:
        return []
    if not isinstance(content, dict):
        raise _invalid(where, f"By each {kind}, it is a mapping.")
    for name in content:
        if name not in (*known, ALL):
            raise UnknownNameError.of(f"{kind} in the defaults of runs", str(name), (*known, ALL))
    return list(content.items())


def _check(values: Any, where: str) -> None:
    if values is not None and not isinstance(values, dict):
        raise _invalid(where, "It is a mapping of fields.")
    for name, value in (values or {}).items():
        if name not in _READ:
            raise UnknownNameError.of("field in the defaults of runs", str(name), FIELDS)
        if value in ("", None):
            continue
        try:
            _READ[name](value)
        except TypeError as error:
            raise _invalid(f"{where}.{name}", f"'{value}' is not {error}.") from error


def _invalid(where: str, why: str) -> Phase2Error:
    return RequestError(
        f"The defaults of runs in this namespace cannot be used{f', at {where}' if where else ''}.",
        why=why,
        fix="Have the administrator correct 'defaults' in the ConfigMap phase2-runs (runs.defaults of the chart).",
    )
