"""Settings by dotted path: parsing ``--set training.patience=20``, and formatting it again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from phase2.errors import RequestError

SEPARATOR = ";"
"""Separator of several settings in one variable or parameter: values have commas, and line breaks are refused."""

SET = "--set"

LIMITS = "data.limits."
"""Beginning of the paths of the limits of reading."""

_PATH = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")


@dataclass(frozen=True, slots=True)
class Setting:
    """Requested value of one setting.

    Attributes:
        path: Dotted path into the configuration: ``training.patience``.
        value: None, a boolean, a number, a string, or a tuple of these.
        origin: Origin, as shown to users: ``--set`` or ``file run.yaml``.
    """

    path: str
    value: object
    origin: str = field(default=SET, compare=False)

    @property
    def text(self) -> str:
        """Argument of ``--set``: ``data.fractions=[0.8,0.1,0.1]``."""
        return f"{self.path}={format_value(self.value)}"


def parse_setting(text: str) -> Setting:
    """Parse ``path=value``; the value is a YAML scalar or a list in brackets.

    Raises:
        RequestError: There is no ``=``, no path before it, or a value that is no YAML.

    Example:
        >>> parse_setting("training.lr=1e-3").value
        0.001
        >>> parse_setting("data.fractions=[0.7,0.2,0.1]").text
        'data.fractions=[0.7,0.2,0.1]'
    """
    path, value = _split(text)
    return Setting(path, _plain(_parse(value, text)))


def parse_values(text: str) -> tuple[str, tuple[object, ...]]:
    """Parse ``path=value,value``: several values of one setting, lists among them in brackets.

    Returns:
        The path, and the values.

    Raises:
        RequestError: As :func:`parse_setting`, or there is no value.

    Example:
        >>> parse_values("training.lr=1e-3,5e-4")
        ('training.lr', (0.001, 0.0005))
        >>> parse_values("data.fractions=[0.8,0.1,0.1],[0.7,0.2,0.1]")
        ('data.fractions', ((0.8, 0.1, 0.1), (0.7, 0.2, 0.1)))
    """
    path, value = _split(text)
    found = _plain(_parse(f"[{value}]", text))
    if not isinstance(found, tuple) or not found:
        raise _refused(text, "There is no value behind the '='; null is none.")
    return path, tuple(dict.fromkeys(found))


def settings_of(values: Iterable[tuple[str, object]], origin: str = SET) -> tuple[Setting, ...]:
    """Make settings of paths and values, such as the items of a mapping in Python.

    Raises:
        RequestError: A value is nothing that a configuration holds.
    """
    return tuple(Setting(path, _plain(value), origin) for path, value in values)


def join_texts(texts: Sequence[str]) -> str:
    """Join the texts of several settings into one, as a variable or a workflow's parameter holds them.

    Raises:
        RequestError: A text has the separator in it.
    """
    for text in texts:
        if SEPARATOR in text or "\n" in text:
            raise RequestError(
                f"{SET} {text} cannot be handed to a workflow.",
                why=f"'{SEPARATOR}' stands between two settings there.",
                fix="Choose a value without it.",
            )
    return SEPARATOR.join(texts)


def split_texts(text: str) -> list[str]:
    """Split what :func:`join_texts` joined, without empty parts."""
    return [word.strip() for word in text.split(SEPARATOR) if word.strip()]


def format_value(value: object) -> str:
    """Format a value as YAML that is read back as the same value."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, tuple | list):
        return f"[{','.join(map(format_value, value))}]"
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, str) and not _is_plain(value):
        return "".join(map(_escaped, json.dumps(value, ensure_ascii=False)))
    return str(value)


def _escaped(character: str) -> str:
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _float_text(value: float) -> str:
    text = repr(float(value))
    return f".{text}" if text in ("inf", "nan") else text.replace("-inf", "-.inf")


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and text.lower() not in ("null", "true", "false")


def _split(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    path = path.strip()
    if not equals:
        raise _refused(text, "It has no '='.")
    if not _PATH.fullmatch(path):
        raise _refused(text, "What stands before the '=' is no path of a setting.")
    if not value.strip():
        raise _refused(text, "There is no value behind the '='; null is none.")
    return path, value.strip()


def _parse(value: str, text: str) -> object:
    from phase2.config.yaml_text import parse_yaml

    try:
        return parse_yaml(value, f"{SET} {text}")
    except RequestError as error:
        raise _refused(text, error.why) from error


def _plain(value: object) -> object:
    """Convert lists to tuples, and refuse what is not a plain value."""
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise RequestError(
        f"{value!r} is nothing that a setting can be.",
        why="A setting is null, true, false, a number, a string or a list of these.",
        fix="Write nested settings with dots: training.patience=20.",
    )


def _refused(text: str, why: str) -> RequestError:
    return RequestError(f"{SET} {text} is not understood.", why=why, fix=f"Write {SET} training.patience=20, say.")
