"""Filter options of the commands that list runs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from phase2.config.levels import ALGORITHMS, MODES
from phase2.runs.catalog.filter import STATUSES, RunFilter, parse_time

_KINDS: dict[str, type] = {"seed": int, "epochs": int, "lr": float}
_HELP = {
    "algorithm": f"Only {' or '.join(ALGORITHMS)}.",
    "level": f"Only one of: {', '.join(MODES)}.",
    "property": "Only runs trained on this property.",
    "data": "Only runs on this data set: its name or path, or the beginning of its fingerprint.",
    "split": "Only runs with this split.",
    "seed": "Only runs of this seed.",
    "epochs": "Only runs of so many epochs.",
    "lr": "Only runs with this learning rate.",
    "status": f"Only one of: {', '.join(STATUSES)}.",
    "family": "Only runs of this family.",
    "since": "Started since: 2026-11-24, or 7d for a week ago.",
    "until": "Started before: 2026-11-24, or 7d for a week ago.",
}


def takes_filter(command: Callable[..., None], *, hidden: tuple[str, ...] = ()) -> Callable[..., None]:
    """Add the options of a :class:`RunFilter` to a command, which receives it as its first parameter."""
    parameters_of_command = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shown = [name for name in _HELP if name not in hidden]
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[_KINDS.get(name, str) | None, typer.Option(f"--{name}", help=_HELP[name])],
        )
        for name in shown
    ]

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        command(_filter({name: values.pop(name) for name in shown}), **values)

    everything = [*(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters_of_command), *options]
    wrapper.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in everything}
    return wrapper


def _filter(words: dict[str, Any]) -> RunFilter:
    words["mode"] = words.pop("level")
    for name in ("since", "until"):
        words[name] = None if words[name] is None else parse_time(words[name])
    return RunFilter(**words)
