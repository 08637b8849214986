"""Sweeps: every combination of listed values, each a valid request. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from phase2.config.assignments import SEPARATOR, SET, Setting, format_value, join_texts
from phase2.config.combine import combine
from phase2.config.request.options import FIELD_PATHS, FLAG_PATHS, flag
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.config.data.own_properties import PropertyDefinition

LISTS: Mapping[str, Callable[[str], Any]] = {
    "level": str,
    "seed": int,
    "epochs": int,
    "lr": float,
    "batch_size": int,
    "preset": str,
    "max_samples": int,
    "split": str,
}
"""Options that take lists in a sweep, with the type of one value."""

MAX_RUNS = 200


@dataclass(frozen=True, slots=True)
class SweepRun:
    """One run of a sweep.

    Attributes:
        run_id: Its id: the name of the sweep and a number.
        request: Its request.
        values: Value of each varied option as text, "" where it is not given; ``set`` holds the settings.
    """

    run_id: str
    request: RunRequest
    values: Mapping[str, str]

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the workflow step that trains it."""
        return {"run-id": self.run_id} | {name.replace("_", "-"): value for name, value in self.values.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """Requested sweep: every combination of the listed values is a run.

    Attributes:
        algorithm: ``e3nn`` or ``cgcnn``.
        all_properties: Train all nine properties; excludes ``properties``.
        properties: Keys of the properties to train.
        own_properties: Properties that the runs define, besides the nine.
        data: Name of a data set, or a path.
        lists: Comma-separated values by option, of ``LISTS``; one that is missing or "" is left to the level.
        settings: Values by dotted path of further settings.

    Raises:
        RequestError: A setting is listed twice, as an option and by its path.
    """

    algorithm: str = "e3nn"
    all_properties: bool = False
    properties: tuple[str, ...] | None = None
    own_properties: tuple[PropertyDefinition, ...] = ()
    data: str | None = None
    lists: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, tuple[object, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.settings:
            name = option_of(path)
            if name is not None and self.gives(name):
                raise RequestError(
                    f"{flag(name)} and {SET} {path} give the same setting.",
                    why="Every combination of both would be a run, and one of the two would not count.",
                    fix="Drop one of the two.",
                )

    def gives(self, name: str) -> bool:
        """Return whether an option was given, as a list or for all runs."""
        chosen = name == "properties" and self.all_properties
        return bool(chosen or self.lists.get(name) or getattr(self, name, None))

    def runs(self, name: str) -> list[SweepRun]:
        """Make every combination of the listed values, the first list varying slowest.

        Args:
            name: Name of the sweep.

        Raises:
            RequestError: A value or a combination is invalid, or there are too many.
            UnknownNameError: A level or preset is unknown.

        Example:
            >>> sweep = SweepRequest(algorithm="cgcnn", lists={"level": "smoke", "seed": "1,2"})
            >>> [(run.run_id, run.values["seed"]) for run in sweep.runs("try")]
            [('try-0', '1'), ('try-1', '2')]
        """
        choices: dict[str, Sequence[Any]] = {option: _split(self.lists.get(option, "")) for option in LISTS}
        choices |= self.settings
        count = math.prod(len(words) for words in choices.values())
        if count > MAX_RUNS:
            raise RequestError(
                f"This sweep has {count} runs.", why=f"At most {MAX_RUNS} are made.", fix="Shorten a list."
            )
        combinations = (dict(zip(choices, words, strict=True)) for words in itertools.product(*choices.values()))
        width = len(str(count - 1))
        return [self._run(f"{name}-{number:0{width}}", combination) for number, combination in enumerate(combinations)]

    def options(self) -> dict[str, str]:
        """Return the values of the options that were given.

        Raises:
            RequestError: A setting has the separator of several settings in it.
        """
        listed = {option: ",".join(word for word in _split(self.lists.get(option, "")) if word) for option in LISTS}
        said = {
            "algorithm": self.algorithm,
            "all-properties": "true" if self.all_properties else "",
            "properties": ",".join(self.properties or ()),
            "property": SEPARATOR.join(definition.text for definition in self.own_properties),
            **{option.replace("_", "-"): text for option, text in listed.items()},
            "data": self.data or "",
            "set": join_texts(self._texts()) if self.settings else "",
        }
        return {name: text for name, text in said.items() if text}

    def command(self, name: str) -> list[str]:
        """Return the ``phase2 sweep`` command line of this request."""
        words = ["phase2", "sweep", "--name", name]
        for option, text in replace(self, settings={}, own_properties=()).options().items():
            words += [f"--{option}"] if option == "all-properties" else [f"--{option}", text]
        for definition in self.own_properties:
            words += [flag("own_properties"), definition.text]
        for text in self._texts():
            words += [SET, text]
        return words

    def _texts(self) -> list[str]:
        return [f"{path}={','.join(map(format_value, values))}" for path, values in self.settings.items()]

    def _run(self, run_id: str, combination: Mapping[str, Any]) -> SweepRun:
        settings = [Setting(path, combination[path]) for path in self.settings]
        words = {name: text for name, text in combination.items() if name in LISTS}
        given = {
            "algorithm": self.algorithm,
            "all_properties": self.all_properties,
            "properties": self.properties,
            "own_properties": self.own_properties or None,
            "data": self.data,
            **_values(words),
        }
        text = SEPARATOR.join(one.text for one in settings)
        return SweepRun(run_id, combine(given, settings=settings), words | {"set": text})


def option_of(path: str) -> str | None:
    """Return the field of a run request that gives the setting of a path; None where there is none."""
    return FIELD_PATHS.get(path) or next((name for name, other in FLAG_PATHS.items() if other == path), None)


def _split(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    return list(dict.fromkeys(words)) or [""]


def _values(words: Mapping[str, str]) -> dict[str, Any]:
    return {option: _read(option, word) for option, word in words.items() if word}


def _read(option: str, word: str) -> object:
    try:
        return LISTS[option](word)
    except ValueError:
        raise RequestError(f"{flag(option)} {word} is no number.", fix="Give numbers, separated by commas.") from None
