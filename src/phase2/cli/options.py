"""The options that describe a run, shared by every command that takes one."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from phase2.config.levels import ALGORITHMS, DEFAULT_LEVEL, LEVELS, PRESETS, SEED
from phase2.config.request import RunRequest
from phase2.config.resumption import CHANGES
from phase2.properties import CORE, KEYS

AcceptOption = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-change",
        help=f"Continue though this changed since the checkpoint: {' or '.join(CHANGES)}; may be repeated.",
    ),
]


def _option(name: str, *, help: str) -> Any:  # noqa: A002
    # Workflows fill in variables; one that is empty counts as not given, which an option on a command line cannot do.
    return typer.Option(name, help=help, show_default=False, envvar=variable_of(name), show_envvar=False)


def variable_of(name: str) -> str:
    """The environment variable of an option: ``--batch-size`` is ``PHASE2_BATCH_SIZE``."""
    return "PHASE2_" + name.removeprefix("--").replace("-", "_").upper()


_OPTIONS: dict[str, tuple[Any, Any]] = {
    "algorithm": (
        Annotated[str, _option("--algorithm", help=f"{' or '.join(ALGORITHMS)} (default: e3nn).")],
        "e3nn",
    ),
    "level": (
        Annotated[str | None, _option("--level", help=f"{', '.join(LEVELS)} (default: {DEFAULT_LEVEL}).")],
        None,
    ),
    "competition": (
        Annotated[bool, _option("--competition", help="Train the competition profile instead of a level.")],
        False,
    ),
    "all_properties": (
        Annotated[bool, _option("--all-properties", help="Train all nine properties.")],
        False,
    ),
    "properties": (
        Annotated[
            str | None,
            _option("--properties", help=f"Comma-separated, of: {', '.join(KEYS)} (default: {', '.join(CORE)})."),
        ],
        None,
    ),
    "epochs": (Annotated[int | None, _option("--epochs", help="Passes over the training set.")], None),
    "lr": (Annotated[float | None, _option("--lr", help="Peak learning rate.")], None),
    "batch_size": (Annotated[int | None, _option("--batch-size", help="Crystals per step.")], None),
    "preset": (
        Annotated[str | None, _option("--preset", help=f"Network of cgcnn: {', '.join(PRESETS)}.")],
        None,
    ),
    "max_samples": (
        Annotated[int | None, _option("--max-samples", help="Use at most this many crystals.")],
        None,
    ),
    "seed": (Annotated[int | None, _option("--seed", help=f"Seed of the run (default: {SEED}).")], None),
    "data": (
        Annotated[
            str | None,
            _option(
                "--data",
                help="sample, jarvis-dft3d, a JSON/JSONL file, or a folder of CIF with a CSV (default: sample).",
            ),
        ],
        None,
    ),
    "output": (
        Annotated[
            Path, typer.Option("--output", help="Folder that holds the runs (default: models).", show_default=False)
        ],
        Path("models"),
    ),
}


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
    shown = [name for name in _OPTIONS if name not in (fixed or {}) and name not in hidden]
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=_OPTIONS[name][1], annotation=_OPTIONS[name][0])
        for name in shown
    ]

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        words = {name: values.pop(name) for name in shown} | (fixed or {})
        command(_request(words), **values)

    everything = [*parameters, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own)]
    wrapper.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in everything}
    return wrapper


def _request(words: dict[str, Any]) -> RunRequest:
    asked = words.get("properties")
    if asked is not None:
        words["properties"] = tuple(name.strip() for name in asked.split(",") if name.strip())
    return RunRequest(**words)
