"""From lists of values to the runs of a sweep: every combination, each a valid request. Pure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

MOST_RUNS = 200


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


def sweep_runs(name: str, lists: Mapping[str, str], **common: Any) -> list[SweepRun]:
    """Make every combination of the listed values, the first list varying slowest.

    Args:
        name: Name of the sweep.
        lists: Comma-separated values by option, of ``LISTS``; "" leaves an option to the level.
        common: Fields of the request that all runs share.

    Raises:
        RequestError: A value is none, a combination contradicts itself, or there are too many.
        UnknownNameError: A level or preset is unknown.

    Example:
        >>> [run.words["seed"] for run in sweep_runs("try", {"level": "smoke", "seed": "1,2"}, algorithm="cgcnn")]
        ['1', '2']
    """
    choices = {option: _split(lists.get(option, "")) for option in LISTS}
    count = math.prod(len(words) for words in choices.values())
    if count > MOST_RUNS:
        raise RequestError(f"This sweep has {count} runs.", why=f"At most {MOST_RUNS} are made.", fix="Shorten a list.")
    combinations = (dict(zip(choices, words, strict=True)) for words in itertools.product(*choices.values()))
    width = len(str(count - 1))
    return [
        SweepRun(f"{name}-{number:0{width}}", RunRequest(**common, **_values(words)), words)
        for number, words in enumerate(combinations)
    ]


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
