"""Options of a sweep: those of a run, with lists of values where runs may differ."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from phase2.cli.options import variable_of
from phase2.config.levels import ALGORITHMS, DEFAULT_LEVEL, LEVELS, PRESETS
from phase2.config.request import flag
from phase2.config.sweep import LISTS, SweepRequest
from phase2.properties import CORE, KEYS


def _option(kind: Any, name: str, help: str) -> Any:  # noqa: A002
    # Workflows set environment variables; an empty one counts as not given.
    return Annotated[
        kind, typer.Option(name, help=help, show_default=False, envvar=variable_of(name), show_envvar=False)
    ]


_HELP = {
    "level": f"Levels, of {', '.join(LEVELS)} (default: {DEFAULT_LEVEL}).",
    "seed": "Seeds.",
    "epochs": "Passes over the training set.",
    "lr": "Peak learning rates.",
    "batch_size": "Crystals per step.",
    "preset": f"Networks of cgcnn, of {', '.join(PRESETS)}.",
    "max_samples": "Numbers of crystals.",
}
_OPTIONS: dict[str, tuple[Any, Any]] = {
    "algorithm": (_option(str, "--algorithm", f"{' or '.join(ALGORITHMS)} (default: e3nn)."), "e3nn"),
    "all_properties": (_option(bool, "--all-properties", "Train all nine properties."), False),
    "properties": (
        _option(str, "--properties", f"Comma-separated, of: {', '.join(KEYS)} (default: {', '.join(CORE)})."),
        "",
    ),
    **{
        name: (_option(str, flag(name), f"{_HELP[name].rstrip('.')}; several, separated by commas."), "")
        for name in LISTS
    },
    "data": (_option(str, "--data", "sample, jarvis-dft3d, or a path (default: sample)."), ""),
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
        command(_request({name: values.pop(name) for name in _OPTIONS}), **values)

    everything = [*parameters, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own)]
    wrapper.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in everything}
    return wrapper


def _request(options: dict[str, Any]) -> SweepRequest:
    keys = tuple(key.strip() for key in options["properties"].split(",") if key.strip())
    return SweepRequest(
        algorithm=options["algorithm"],
        all_properties=options["all_properties"],
        properties=keys or None,
        data=options["data"] or None,
        lists={name: options[name] for name in LISTS},
    )
