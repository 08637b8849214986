"""One request from a configuration file, settings and options: each overrides the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from phase2.config.assignments import Setting
from phase2.config.request import WORD_PATHS, RunRequest
from phase2.config.run_file.reader import RunFile
from phase2.errors import RequestError

_CHOICE_OF_PROPERTIES = ("all_properties", "properties")


def combine(
    words: Mapping[str, object], *, settings: Iterable[Setting] = (), file: RunFile | None = None
) -> RunRequest:
    """Combine what was asked for in several ways: options override settings, and settings override the file.

    Args:
        words: Fields of the request as options gave them; None and False are not given.
        settings: Settings by path, of which a later one wins.
        file: A configuration file.

    Raises:
        RequestError: They contradict each other, or a value cannot be used.
        UnknownNameError: A name is in none of the tables; the nearest one is offered.

    Example:
        >>> from phase2.config.assignments import parse_setting
        >>> request = combine({"level": "smoke", "epochs": 3}, settings=[parse_setting("training.patience=2")])
        >>> " ".join(request.command())
        'phase2 train --algorithm e3nn --level smoke --epochs 3 --set training.patience=2'
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    kept: list[Setting] = []

    def give(name: str, value: object, origin: str | None) -> None:
        if name in _CHOICE_OF_PROPERTIES:  # one choice: the later word replaces the other, too
            for other in _CHOICE_OF_PROPERTIES:
                values.pop(other, None)
                origins.pop(other, None)
        values[name] = value
        origins.pop(name, None)
        if origin is not None:
            origins[name] = origin

    for name, value in (file.words if file else {}).items():
        give(name, value, f"file {file.name}" if file else None)
    for setting in (*(file.settings if file else ()), *settings):
        if setting.path in WORD_PATHS:
            give(WORD_PATHS[setting.path], _word_value(setting), setting.origin)
        else:
            kept.append(setting)
    _refuse_both_choices(words)
    for name, value in words.items():
        if value is not None and value is not False:
            give(name, value, None)
    return RunRequest(**values, settings=tuple(kept), origins=origins)


def _word_value(setting: Setting) -> object:
    from phase2.config.paths import check_setting

    return check_setting(setting, "e3nn").value  # a setting of every algorithm


def _refuse_both_choices(words: Mapping[str, object]) -> None:
    if words.get("all_properties") and words.get("properties") is not None:
        raise RequestError("--all-properties and --properties exclude each other.", fix="Drop one of the two.")
