"""Merging a configuration file, settings and options into one request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from phase2.config.assignments import Setting
from phase2.config.request.options import FIELD_PATHS
from phase2.config.request.run_request import RunRequest
from phase2.config.run_file.reader import RunFile
from phase2.errors import RequestError

_CHOICE_OF_PROPERTIES = ("all_properties", "properties")


def combine(
    options: Mapping[str, object], *, settings: Iterable[Setting] = (), file: RunFile | None = None
) -> RunRequest:
    """Merge options, settings and a configuration file: options override settings, which override the file.

    Args:
        options: Fields of the request; None and False mean not given.
        settings: Settings by path; the last one of each path counts.
        file: A configuration file.

    Raises:
        RequestError: They contradict each other, or a value is invalid.
        UnknownNameError: A name is unknown; the nearest valid one is offered.

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
        if name in _CHOICE_OF_PROPERTIES:  # one choice: the later replaces the other
            for other in _CHOICE_OF_PROPERTIES:
                values.pop(other, None)
                origins.pop(other, None)
        values[name] = value
        origins.pop(name, None)
        if origin is not None:
            origins[name] = origin

    for name, value in (file.options if file else {}).items():
        give(name, value, f"file {file.name}" if file else None)
    for setting in (*(file.settings if file else ()), *settings):
        if setting.path in FIELD_PATHS:
            give(FIELD_PATHS[setting.path], _field_value(setting), setting.origin)
        else:
            kept.append(setting)
    _refuse_both_choices(options)
    for name, value in options.items():
        if value is not None and value is not False:
            give(name, value, None)
    return RunRequest(**values, settings=tuple(kept), origins=origins)


def _field_value(setting: Setting) -> object:
    from phase2.config.paths import check_setting

    return check_setting(setting, "e3nn").value  # a setting of every algorithm


def _refuse_both_choices(options: Mapping[str, object]) -> None:
    if options.get("all_properties") and options.get("properties") is not None:
        raise RequestError("--all-properties and --properties exclude each other.", fix="Drop one of the two.")
