"""What the user asked for, in the user's words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from phase2.config.levels import ALGORITHMS, DEFAULT_LEVEL, LEVELS, PRESETS, Profile, profile
from phase2.errors import RequestError, UnknownNameError
from phase2.properties import select_properties

OVERRIDES = ("epochs", "lr", "batch_size", "preset", "max_samples")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A run as it was asked for; None means that the user did not say.

    Attributes:
        algorithm: ``e3nn`` or ``cgcnn``.
        level: One of the levels; excludes ``competition``.
        competition: Train the competition profile instead of a level.
        all_properties: Train all nine properties; excludes ``properties``.
        properties: Keys of the properties to train.
        epochs: Passes over the training set.
        lr: Peak learning rate.
        batch_size: Crystals per step.
        preset: Network preset, for cgcnn only.
        max_samples: Crystals used, all parts together.
        seed: Seed of the weights, the batches and every other random draw of the run.
        data: Name of a data set, or a path.
        output: Folder that holds the families of runs.

    Raises:
        RequestError: The words contradict each other or a value makes no sense.
        UnknownNameError: A name is in none of the tables; the nearest one is offered.
    """

    algorithm: str = "e3nn"
    level: str | None = None
    competition: bool = False
    all_properties: bool = False
    properties: tuple[str, ...] | None = None
    epochs: int | None = None
    lr: float | None = None
    batch_size: int | None = None
    preset: str | None = None
    max_samples: int | None = None
    seed: int | None = None
    data: str | None = None
    output: Path = Path("models")

    def __post_init__(self) -> None:
        _refuse_unknown_names(self)
        _refuse_contradictions(self)
        _refuse_bad_numbers(self)

    @property
    def profile(self) -> Profile:
        """The row of the levels table that this request starts from."""
        return profile(self.algorithm, self.mode)

    @property
    def mode(self) -> str:
        """``competition``, or the level."""
        if self.competition:
            return "competition"
        return self.level or DEFAULT_LEVEL

    def given(self, name: str) -> bool:
        """Tell whether the user set this field."""
        value = getattr(self, name)
        return value is not None and value is not False  # 0 is a seed

    def command(self) -> list[str]:
        """The ``phase2 train`` command line that makes the same request again."""
        words = ["phase2", "train"]
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default and field.name != "algorithm":
                continue
            words += [flag(field.name)] if value is True else [flag(field.name), _word(value)]
        return words

    @classmethod
    def from_command(cls, words: Sequence[str]) -> RunRequest:
        """The request of a command line that :meth:`command` made, wherever its runs were to be written.

        Raises:
            RequestError: Another version of phase2 made it, with options that this one does not know.
        """
        known = {flag(field.name): field.name for field in fields(cls)}
        values: dict[str, Any] = {}
        rest = list(words[2:])
        while rest:
            name = known.get(rest.pop(0))
            if name is None or (name not in _SWITCHES and not rest):
                raise RequestError(
                    f"'{' '.join(words)}' is not understood.",
                    why="Another version of phase2 wrote it.",
                    fix="Give the options of the run themselves.",
                )
            values[name] = True if name in _SWITCHES else _READERS.get(name, str)(rest.pop(0))
        values.pop("output", None)
        return cls(**values)


_SWITCHES = ("competition", "all_properties")
_READERS: dict[str, Callable[[str], Any]] = {
    "properties": lambda text: tuple(text.split(",")),
    "epochs": int, "batch_size": int, "max_samples": int, "seed": int, "lr": float,
}  # fmt: skip


def flag(name: str) -> str:
    """The command line's spelling of a field: ``batch_size`` is ``--batch-size``."""
    return "--" + name.replace("_", "-")


def _word(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _refuse_unknown_names(request: RunRequest) -> None:
    closed = (("algorithm", ALGORITHMS), ("level", LEVELS), ("preset", PRESETS))
    for name, valid in closed:
        value = getattr(request, name)
        if value is not None and value not in valid:
            raise UnknownNameError.of(name, value, valid)
    select_properties(request.properties)


def _refuse_contradictions(request: RunRequest) -> None:
    if request.competition and request.level is not None:
        raise RequestError(
            f"--competition and --level {request.level} exclude each other.",
            why="The competition profile has its own epochs, batch size and learning rate.",
            fix="Drop one of the two.",
        )
    if request.data == "":
        raise RequestError("--data is empty.", fix="Name a data set or a path, or drop --data for the sample.")
    if request.all_properties and request.properties is not None:
        raise RequestError("--all-properties and --properties exclude each other.", fix="Drop one of the two.")
    if request.preset is not None and request.algorithm != "cgcnn":
        raise RequestError(
            f"--preset {request.preset} does not go with --algorithm {request.algorithm}.",
            why="Presets are sizes of the cgcnn network; the level decides the size of the e3nn network.",
            fix="Drop --preset, or use --algorithm cgcnn.",
        )
    overrides = [flag(name) for name in OVERRIDES if request.given(name)]
    if request.profile.fixed and overrides:
        raise RequestError(
            f"{', '.join(overrides)} cannot be combined with {request.algorithm} {request.mode}.",
            why=f"This run is fixed at {request.profile.epochs} epochs and {request.profile.max_samples} structures.",
            fix="Drop the override, or use --level smoke.",
        )


def _refuse_bad_numbers(request: RunRequest) -> None:
    for name in ("epochs", "batch_size", "max_samples"):
        value = getattr(request, name)
        if value is not None and value < 1:
            raise RequestError(f"{flag(name)} {value} is not a positive number.", fix="Give 1 or more.")
    if request.lr is not None and not (math.isfinite(request.lr) and request.lr > 0):
        raise RequestError(f"--lr {request.lr} is not a positive number.", fix="Give a learning rate such as 1e-3.")
    if request.seed is not None and not 0 <= request.seed < 2**32:
        raise RequestError(f"--seed {request.seed} is out of range.", fix="Give a number from 0 to 4294967295.")
