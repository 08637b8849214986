"""Parser of the dimensions of a search space, validated against the schema of the settings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from phase2.config.assignments import SET, Setting, format_value, parse_values
from phase2.config.levels import Algorithm
from phase2.config.paths import SettingField, check_setting, settings_of_algorithm
from phase2.config.search.dimensions import OVER, Choices, Dimension, Range
from phase2.errors import RequestError

_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(:log)?(?::step=({_NUMBER}))?")

_COMPARES_ONLY_THERE = "Trials are compared on the same crystals and properties, which it would change."
_NOT_SEARCHED = {
    "seed": "The best of several seeds is luck that does not repeat.",
    "properties": _COMPARES_ONLY_THERE,
}


def parse_dimension(text: str, algorithm: Algorithm) -> Dimension:
    """Parse ``path=low..high``, ``path=low..high:log``, ``path=low..high:step=16`` or ``path=value,value``.

    Raises:
        RequestError: The text is not understood, or a value is invalid for its setting.
        UnknownNameError: There is no such path; the nearest is offered.

    Example:
        >>> parse_dimension("training.lr=1e-4..1e-2:log", "cgcnn").text
        'training.lr=0.0001..0.01:log'
    """
    path, equals, value = text.partition("=")
    found = _RANGE.fullmatch(value.strip()) if equals else None
    if found is not None:
        return _range(path.strip(), found, algorithm)
    if ".." in value:
        raise _not_understood(text, "A range is written low..high, with :log or :step=16 behind it where wanted.")
    try:
        path, values = parse_values(text)
    except RequestError as error:
        raise _not_understood(text, error.why) from error
    return _choices(path, values, algorithm)


def dimension_of(setting: Setting, algorithm: Algorithm) -> Dimension:
    """Return the dimension that a file gives a setting: a range is a string, choices are a list.

    Raises:
        RequestError: As :func:`parse_dimension`.
        UnknownNameError: Likewise.
    """
    value = setting.value
    if isinstance(value, tuple):
        return _choices(setting.path, value, algorithm)
    return parse_dimension(f"{setting.path}={value if isinstance(value, str) else format_value(value)}", algorithm)


def _range(path: str, found: re.Match[str], algorithm: Algorithm) -> Range:
    kind = _number_kind(_field(path, algorithm), found[0])
    low, high = (_checked(path, _number(text, kind), algorithm) for text in found.group(1, 2))
    step = None if found[4] is None else _number(found[4], kind)
    if not low < high:
        raise _not_understood(f"{path}={found[0]}", "The first number of a range is the smaller one.")
    if found[3] and (low <= 0 or step is not None):
        why = "has no step" if step is not None else "begins above zero"
        raise _not_understood(f"{path}={found[0]}", f"A range on a logarithmic scale {why}.")
    if step is not None and not 0 < step <= high - low:
        raise _not_understood(f"{path}={found[0]}", "A step is positive, and not longer than the range.")
    return Range(path, low, high, log=bool(found[3]), step=step)


def _choices(path: str, values: Sequence[object], algorithm: Algorithm) -> Choices:
    _field(path, algorithm)
    checked = tuple(dict.fromkeys(check_setting(Setting(path, one, OVER), algorithm).value for one in values))
    if len(checked) < 2:
        raise RequestError(
            f"{OVER} {path}={','.join(map(format_value, checked))} leaves no choice.",
            why="A searched setting has two values or more, or a range.",
            fix=f"Give a single value to all trials with {SET}.",
        )
    return Choices(path, checked)


def _field(path: str, algorithm: Algorithm) -> SettingField:
    """Return the field of a setting that can be searched."""
    known = settings_of_algorithm(algorithm)
    if path not in known:
        check_setting(Setting(path, None, OVER), algorithm)  # raises, with the nearest path
    is_of_data = path.startswith("data.") and not path.startswith("data.graph.")
    why = _NOT_SEARCHED.get(path, _COMPARES_ONLY_THERE if is_of_data else "")
    if why:
        raise RequestError(f"'{path}' cannot be searched.", why=why, fix=f"Give it to all trials with {SET}.")
    return known[path]


def _number_kind(field: SettingField, text: str) -> type[int] | type[float]:
    options: Sequence[Mapping[str, Any]] = field.schema.get("anyOf", (field.schema,))
    kinds = {option.get("type") for option in options}
    if not kinds & {"integer", "number"}:
        raise RequestError(
            f"{OVER} {field.path}={text} cannot be used.",
            why=f"Expected {field.expected}, which has no range.",
            fix="List the values, separated by commas.",
        )
    return float if "number" in kinds else int


def _number(text: str, kind: type[int] | type[float]) -> float:
    is_whole = re.fullmatch(r"[-+]?[0-9]+", text) is not None
    return int(text) if is_whole and kind is int else float(text)


def _checked(path: str, value: float, algorithm: Algorithm) -> float:
    checked = check_setting(Setting(path, value, OVER), algorithm).value
    assert isinstance(checked, int | float)  # noqa: S101 - the setting is a number
    return checked


def _not_understood(text: str, why: str) -> RequestError:
    return RequestError(
        f"{OVER} {text} is not understood.",
        why=why,
        fix=f"Write {OVER} training.lr=1e-4..1e-2:log or {OVER} training.batch_size=16,32, say.",
    )
