"""Options of a sweep: those of a run, with lists of values where runs may differ."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phase2.cli.data_address import DATA_HELP, pinned_request
from phase2.cli.options import ConfigOption, given_properties, given_settings, request_option, split_names
from phase2.cli.request_options import own_option
from phase2.config.assignments import SET, parse_values
from phase2.config.levels import ALGORITHMS, DEFAULT_LEVEL, LEVELS, PRESETS
from phase2.config.multirun.sweep import LISTS, SweepRequest
from phase2.config.request.options import flag
from phase2.errors import RequestError
from phase2.properties import CORE, KEYS

if TYPE_CHECKING:
    from phase2.config.data.own_properties import PropertyDefinition
    from phase2.config.run_file.reader import RunFile


def _option(kind: Any, name: str, help: str) -> Any:  # noqa: A002
    return Annotated[kind, request_option(name, help=help)]


_HELP = {
    "level": f"Levels, of {', '.join(LEVELS)} (default: {DEFAULT_LEVEL}).",
    "seed": "Seeds.",
    "epochs": "Passes over the training set.",
    "lr": "Peak learning rates.",
    "batch_size": "Crystals per step.",
    "preset": f"Networks of cgcnn, of {', '.join(PRESETS)}.",
    "max_samples": "Numbers of crystals.",
    "split": "How crystals are divided.",
}
SetListOption = Annotated[
    list[str] | None,
    typer.Option(
        SET,
        metavar="PATH=VALUES",
        help="Values of any setting that 'phase2 explain' lists, separated by commas, lists among them in brackets: "
        "training.lr=1e-3,5e-4; may be repeated.",
    ),
]

_OPTIONS: dict[str, tuple[Any, Any]] = {
    "algorithm": (_option(str, "--algorithm", f"{' or '.join(ALGORITHMS)} (default: e3nn)."), ""),
    "all_properties": (_option(bool, "--all-properties", "Train all nine properties."), False),
    "properties": (
        _option(str, "--properties", f"Comma-separated, of: {', '.join(KEYS)} (default: {', '.join(CORE)})."),
        "",
    ),
    **{
        name: (_option(str, flag(name), f"{_HELP[name].rstrip('.')}; several, separated by commas."), "")
        for name in LISTS
    },
    "data": (_option(str, "--data", f"{DATA_HELP} (default: sample)."), ""),
    "own_properties": own_option("own_properties"),
    "properties_file": own_option("properties_file"),
    "config_file": (ConfigOption, None),
    "settings": (SetListOption, None),
}


def takes_sweep(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a sweep to a command, which receives them as one :class:`SweepRequest`.

    Args:
        command: Function whose first parameter is ``request``; the others become further options.
    """
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        request = _request({name: values.pop(name) for name in _OPTIONS})
        command(pinned_request(request, values.get("store")), **values)

    everything = [*parameters, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own)]
    wrapper.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in everything}
    return wrapper


def _request(options: dict[str, Any]) -> SweepRequest:
    file = _file(options["config_file"])
    from_file = file.options if file else {}
    settings = dict(map(parse_values, given_settings(options["settings"])))
    lists = {name: options[name] for name in LISTS}
    if not lists["level"] and "level" in from_file:
        lists["level"] = str(from_file["level"])
    keys = split_names(options["properties"])
    # The trained properties are one choice: an option replaces the whole choice of a file.
    chosen = options["all_properties"] or bool(keys) or "properties" in settings
    request = SweepRequest(
        algorithm=options["algorithm"] or str(from_file.get("algorithm", "e3nn")),
        all_properties=options["all_properties"] or (not chosen and bool(from_file.get("all_properties"))),
        properties=keys or None,
        own_properties=given_properties(options["own_properties"], options["properties_file"]) or _defined(file),
        data=options["data"] or None,
        lists=lists,
        settings=settings,
    )
    return request if file is None else _with_settings(request, file, properties_are_chosen=chosen)


def _defined(file: RunFile | None) -> tuple[PropertyDefinition, ...]:
    """Return the properties that a file defines."""
    if file is None or "own_properties" not in file.options:
        return ()
    from phase2.config.data.property_texts import definitions_of

    return definitions_of(file.options["own_properties"], file.name)


def _with_settings(request: SweepRequest, file: RunFile, *, properties_are_chosen: bool) -> SweepRequest:
    """Add the settings of a file that nothing else gives."""
    from phase2.config.multirun.sweep import option_of

    settings: dict[str, tuple[object, ...]] = {}
    for setting in file.settings:
        name = option_of(setting.path)
        overridden = setting.path in request.settings or (name is not None and request.gives(name))
        if not overridden and not (setting.path == "properties" and properties_are_chosen):
            settings[setting.path] = (setting.value,)
    # The data set of all runs, which is prepared for them.
    data = settings.pop("data.source", (request.data,))[0]
    return replace(request, data=None if data is None else str(data), settings=settings | dict(request.settings))


def _file(path: Path | None) -> RunFile | None:
    if path is None:
        return None
    from phase2.config.run_file.reader import RunFile

    file = RunFile.read(path)
    if file.options.get("competition"):
        raise RequestError(
            f"{path} asks for the competition profile, which cannot be swept.",
            why="A sweep varies levels, and the competition profile is not a level.",
            fix="Drop competition from the file, and name levels.",
        )
    return file
