"""The options that describe a run, as a table, and commands that take them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from phase2.cli.completion import one_of, several_of
from phase2.cli.data_address import DATA_HELP, pinned_request
from phase2.cli.options import (
    ConfigOption,
    PropertiesFileOption,
    PropertyOption,
    SetOption,
    given_properties,
    given_settings,
    request_option,
    split_names,
)
from phase2.config.assignments import parse_setting
from phase2.config.combine import combine
from phase2.config.data.splits import FORMS
from phase2.config.foundation_models import FOUNDATION_MODELS
from phase2.config.levels import ALGORITHMS, DEFAULT_LEVEL, LEVELS, PRESETS, SEED
from phase2.config.request.options import BALANCES, FREEZES, PRECISIONS
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError
from phase2.properties import CORE, KEYS

_OPTIONS: dict[str, tuple[Any, Any]] = {
    "algorithm": (
        Annotated[
            str | None,
            request_option(
                "--algorithm", help=f"{' or '.join(ALGORITHMS)} (default: e3nn).", complete=one_of(ALGORITHMS)
            ),
        ],
        None,
    ),
    "level": (
        Annotated[
            str | None,
            request_option(
                "--level", help=f"{', '.join(LEVELS)} (default: {DEFAULT_LEVEL}).", complete=one_of(tuple(LEVELS))
            ),
        ],
        None,
    ),
    "competition": (
        Annotated[bool, request_option("--competition", help="Train the competition profile instead of a level.")],
        False,
    ),
    "all_properties": (
        Annotated[bool, request_option("--all-properties", help="Train all nine properties.")],
        False,
    ),
    "properties": (
        Annotated[
            str | None,
            request_option(
                "--properties",
                help=f"Comma-separated, of: {', '.join(KEYS)} (default: {', '.join(CORE)}).",
                complete=several_of(KEYS),
            ),
        ],
        None,
    ),
    "own_properties": (PropertyOption, None),
    "properties_file": (PropertiesFileOption, None),
    "epochs": (Annotated[int | None, request_option("--epochs", help="Passes over the training set.")], None),
    "lr": (Annotated[float | None, request_option("--lr", help="Peak learning rate.")], None),
    "batch_size": (Annotated[int | None, request_option("--batch-size", help="Crystals per step.")], None),
    "preset": (
        Annotated[
            str | None,
            request_option("--preset", help=f"Network of cgcnn: {', '.join(PRESETS)}.", complete=one_of(PRESETS)),
        ],
        None,
    ),
    "max_samples": (
        Annotated[int | None, request_option("--max-samples", help="Use at most this many crystals.")],
        None,
    ),
    "seed": (Annotated[int | None, request_option("--seed", help=f"Seed of the run (default: {SEED}).")], None),
    "data": (
        Annotated[
            str | None,
            request_option(
                "--data",
                help=f"{DATA_HELP} (default: sample).",
            ),
        ],
        None,
    ),
    "split": (
        Annotated[
            str | None,
            request_option(
                "--split",
                help=f"How crystals are divided: {', '.join(FORMS)} (default: {FORMS[0]}).",
                complete=one_of(FORMS),
            ),
        ],
        None,
    ),
    "drop_twins": (
        Annotated[
            bool, request_option("--drop-twins", help="Leave out test crystals with a twin in the training part.")
        ],
        False,
    ),
    "cutoff": (
        Annotated[float | None, request_option("--cutoff", help="Longest edge in angstrom (default: 5).")],
        None,
    ),
    "patience": (
        Annotated[int | None, request_option("--patience", help="Stop after so many epochs without a better score.")],
        None,
    ),
    "balance": (
        Annotated[
            str | None,
            request_option("--balance", help=f"Weights of the losses: {', '.join(BALANCES)} (default: uncertainty)."),
        ],
        None,
    ),
    "precision": (
        Annotated[
            str | None,
            request_option("--precision", help=f"Of the network: {' or '.join(PRECISIONS)}, for GPUs (default: fp32)."),
        ],
        None,
    ),
    "backbone": (
        Annotated[
            str | None,
            request_option(
                "--backbone", help=f"Read the features of a pretrained potential: {', '.join(FOUNDATION_MODELS)}."
            ),
        ],
        None,
    ),
    "from_": (
        Annotated[
            str | None,
            request_option(
                "--from", help="Start from this run's weights: its id, 'best', its folder or address, or a best.pt."
            ),
        ],
        None,
    ),
    "freeze": (
        Annotated[
            str | None,
            request_option("--freeze", help=f"With --from: {' or '.join(FREEZES)} of it stays as it is."),
        ],
        None,
    ),
    "new_heads": (
        Annotated[bool, request_option("--new-heads", help="With --from: begin with untrained heads.")],
        False,
    ),
    "output": (
        Annotated[
            Path, typer.Option("--output", help="Folder that holds the runs (default: models).", show_default=False)
        ],
        Path("models"),
    ),
}


def own_option(name: str) -> tuple[Any, Any]:
    """Return annotation and default of an option that other commands have as well."""
    return _OPTIONS[name]


def takes_request(
    command: Callable[..., None], *, fixed: dict[str, str] | None = None, hidden: tuple[str, ...] = ()
) -> Callable[..., None]:
    """Give a command the options of a run; it receives them as one :class:`RunRequest`.

    Args:
        command: Its first parameter is ``request``; its other parameters become options of their own.
        fixed: Values of fields that this command does not leave open and shows no option for.
        hidden: Further fields that it shows no option for; they keep their defaults.
    """
    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shown = {name: option for name, option in _OPTIONS.items() if name not in (fixed or {}) and name not in hidden}
    options = {name: (annotation, default) for name, (annotation, default) in shown.items()}
    options |= {"config_file": (ConfigOption, None), "settings": (SetOption, None)}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    ]

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        words = {name: values.pop(name) for name in shown}
        file, settings = values.pop("config_file"), values.pop("settings")
        request = _request(words, config_file=file, settings=settings, fixed=fixed or {})
        command(pinned_request(request, values.get("store")), **values)

    everything = [*parameters, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own)]
    wrapper.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in everything}
    return wrapper


def _request(
    words: dict[str, Any], *, config_file: Path | None, settings: Sequence[str] | None, fixed: Mapping[str, str]
) -> RunRequest:
    if words.get("properties") is not None:
        words["properties"] = split_names(words["properties"])
    words["own_properties"] = given_properties(words["own_properties"], words.pop("properties_file")) or None
    words |= fixed
    given = [parse_setting(text) for text in given_settings(settings)]
    if config_file is None and not given:
        return _complete(RunRequest(**{name: value for name, value in words.items() if value is not None}))
    from phase2.config.run_file.reader import RunFile

    file = None if config_file is None else RunFile.read(config_file)
    for name, value in fixed.items():
        said = file.options.get(name, value) if file else value
        if said != value:
            raise RequestError(
                f"This program does not train {name} {said}, which {config_file} says.",
                why=f"It trains {name} {value} alone.",
                fix="Use run_phase2.py, which trains either, or 'phase2 train'.",
            )
    return _complete(combine(words, settings=given, file=file))


def _complete(request: RunRequest) -> RunRequest:
    """Complete a request that starts from a trained model."""
    if request.from_ is None:
        return request
    from phase2.runs.ancestry.inherit import inherit_settings

    return inherit_settings(request)
