"""From lists of values to the runs of a sweep: every combination, each a valid request. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from phase2.config.request import RunRequest, flag
from phase2.errors import RequestError

LISTS: Mapping[str, Callable[[str], Any]] = {
    "level": str,
    "seed": int,
    "epochs": int,
    "lr": float,
    "batch_size": int,
    "preset": str,
    "max_samples": int,
}
"""What may differ between the runs of a sweep, and how one value of it is read."""

MAX_RUNS = 200


@dataclass(frozen=True, slots=True)
class SweepRun:
    """One run of a sweep.

    Attributes:
        run_id: Its id: the name of the sweep and a number.
        request: What is trained.
        words: Value of each varied option as text, "" where it is not given.
    """

    run_id: str
    request: RunRequest
    words: Mapping[str, str]

    def parameters(self) -> dict[str, str]:
        """The parameters of a workflow's step that trains it."""
        return {"run-id": self.run_id} | {name.replace("_", "-"): word for name, word in self.words.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """Several runs as they were asked for: every combination of the listed values is one.

    Attributes:
        algorithm: ``e3nn`` or ``cgcnn``.
        all_properties: Train all nine properties; excludes ``properties``.
        properties: Keys of the properties to train.
        data: Name of a data set, or a path.
        lists: Comma-separated values by option, of ``LISTS``; one that is missing or "" is left to the level.
    """

    algorithm: str = "e3nn"
    all_properties: bool = False
    properties: tuple[str, ...] | None = None
    data: str | None = None
    lists: Mapping[str, str] = field(default_factory=dict)

    def runs(self, name: str) -> list[SweepRun]:
        """Make every combination of the listed values, the first list varying slowest.

        Args:
            name: Name of the sweep.

        Raises:
            RequestError: A value is none, a combination contradicts itself, or there are too many.
            UnknownNameError: A level or preset is unknown.

        Example:
            >>> sweep = SweepRequest(algorithm="cgcnn", lists={"level": "smoke", "seed": "1,2"})
            >>> [(run.run_id, run.words["seed"]) for run in sweep.runs("try")]
            [('try-0', '1'), ('try-1', '2')]
        """
        choices = {option: _split(self.lists.get(option, "")) for option in LISTS}
        count = math.prod(len(words) for words in choices.values())
        if count > MAX_RUNS:
            raise RequestError(
                f"This sweep has {count} runs.", why=f"At most {MAX_RUNS} are made.", fix="Shorten a list."
            )
        combinations = (dict(zip(choices, words, strict=True)) for words in itertools.product(*choices.values()))
        width = len(str(count - 1))
        return [
            SweepRun(f"{name}-{number:0{width}}", self._request(words), words)
            for number, words in enumerate(combinations)
        ]

    def words(self) -> dict[str, str]:
        """What was asked for, by option; what was not given is missing."""
        listed = {option: ",".join(word for word in _split(self.lists.get(option, "")) if word) for option in LISTS}
        said = {
            "algorithm": self.algorithm,
            "all-properties": "true" if self.all_properties else "",
            "properties": ",".join(self.properties or ()),
            **{option.replace("_", "-"): text for option, text in listed.items()},
            "data": self.data or "",
        }
        return {name: text for name, text in said.items() if text}

    def command(self, name: str) -> list[str]:
        """The ``phase2 sweep`` command line that asks for the same."""
        words = ["phase2", "sweep", "--name", name]
        for option, text in self.words().items():
            words += [f"--{option}"] if option == "all-properties" else [f"--{option}", text]
        return words

    def _request(self, words: Mapping[str, str]) -> RunRequest:
        return RunRequest(
            algorithm=self.algorithm,
            all_properties=self.all_properties,
            properties=self.properties,
            data=self.data,
            **_values(words),
        )


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
