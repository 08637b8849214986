"""Options that several commands share, and the values that they gave."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phase2.cli.completion import setting_paths
from phase2.config.assignments import LIMITS, SET, parse_setting, split_texts
from phase2.config.combine import combine
from phase2.config.request.resume_request import CHANGES
from phase2.config.settings import PROPERTY_VARIABLE, SET_VARIABLE
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.config.data.own_properties import PropertyDefinition
    from phase2.config.limits import ReadingLimits

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="YAML file of the run, as 'phase2 explain --yaml' writes it."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        SET,
        metavar="PATH=VALUE",
        help="Any setting that 'phase2 explain' lists: training.lr=1e-3; may be repeated.",
        autocompletion=setting_paths,
    ),
]
LimitOption = Annotated[
    list[str] | None,
    typer.Option(SET, metavar="PATH=VALUE", help=f"A limit of reading: {LIMITS}atoms=20000; may be repeated."),
]
AcceptOption = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-change",
        help=f"Continue though this changed since the checkpoint: {' or '.join(CHANGES)}; may be repeated.",
    ),
]

PropertyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--property",
        metavar="KEY:UNIT:COLUMN",
        help="Define a property of your own: cv:J/mol/K:heat_capacity, or a mapping; may be repeated.",
        show_default=False,
    ),
]
PropertiesFileOption = Annotated[
    Path | None,
    typer.Option("--properties-file", metavar="FILE", help="YAML file of properties of your own.", show_default=False),
]

DeviceOption = Annotated[
    str, typer.Option("--device", help="auto (a GPU where there is one), cpu, cuda or cuda:1: where to compute.")
]


def request_option(name: str, *, help: str, complete: Callable[[str], list[str]] | None = None) -> Any:  # noqa: A002
    """Return the option of a field of a request, which an environment variable can give as well."""
    # Workflows fill in variables; one that is empty counts as not given, which an option on a command line cannot do.
    return typer.Option(
        name, help=help, show_default=False, envvar=variable_of(name), show_envvar=False, autocompletion=complete
    )


def variable_of(name: str) -> str:
    """The environment variable of an option: ``--batch-size`` is ``PHASE2_BATCH_SIZE``."""
    return "PHASE2_" + name.removeprefix("--").replace("-", "_").upper()


def given_settings(texts: Sequence[str] | None) -> list[str]:
    """Return what ``--set`` gave, or else the variable of that option, as a workflow fills it in."""
    return list(texts) if texts else split_texts(os.environ.get(SET_VARIABLE, ""))


def given_properties(texts: Sequence[str] | None, file: Path | None) -> tuple[PropertyDefinition, ...]:
    """Return the properties that ``--properties-file`` and ``--property`` define, or else the variable of the latter.

    Raises:
        RequestError: A definition is invalid, or two have the same key.
        UnknownNameError: A name in one is unknown; the nearest is offered.
    """
    words = list(texts or ()) if texts or file else split_texts(os.environ.get(PROPERTY_VARIABLE, ""))
    if not words and file is None:
        return ()
    from phase2.config.data.property_texts import check_definitions, parse_property, read_properties_file

    found = read_properties_file(file) if file else ()
    found += tuple(one for word in words for one in parse_property(word))
    check_definitions(found)
    return found


def given_limits(texts: Sequence[str] | None) -> ReadingLimits:
    """Return the limits of reading of a command that takes no other settings.

    Raises:
        RequestError: ``--set`` gave another setting, or a value that is none.
    """
    from phase2.config.resolve import resolve

    given = [parse_setting(text) for text in given_settings(texts)]
    other = next((one for one in given if not one.path.startswith(LIMITS)), None)
    if texts and other is not None:
        raise RequestError(
            f"{SET} {other.text} cannot be used here.",
            why=f"This command takes the limits of reading alone, {LIMITS}...",
            fix="Drop it.",
        )
    # A workflow gives all settings of its run.
    limits = [one for one in given if one.path.startswith(LIMITS)]
    return resolve(combine({}, settings=limits)).config.data.limits


def split_names(text: str) -> tuple[str, ...]:
    """Split names that commas separate."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
