"""Run requests: what the user asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phase2.config.assignments import SET, Setting, parse_setting
from phase2.config.bounds import LONGEST_ADDRESS, MOST_COUNTED, MOST_RATE, is_utf8
from phase2.config.data.splits import parse_split
from phase2.config.foundation_models import FOUNDATION_MODELS
from phase2.config.levels import ALGORITHMS, DEFAULT_LEVEL, LEVELS, PRESETS, Profile, profile
from phase2.config.request.options import BACKBONE, BALANCES, FIELD_PATHS, FLAG_PATHS, FREEZES, PRECISIONS, flag
from phase2.errors import RequestError, UnknownNameError
from phase2.properties import select_properties

if TYPE_CHECKING:
    from phase2.config.data.own_properties import PropertyDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Requested run; None means not given.

    Attributes:
        algorithm: ``e3nn`` or ``cgcnn``.
        level: One of the levels; excludes ``competition``.
        competition: Train the competition profile instead of a level.
        all_properties: Train all nine properties; excludes ``properties``.
        properties: Keys of the properties to train.
        own_properties: Properties that the run defines, besides the nine; trained alone where none is named.
        epochs: Passes over the training set.
        lr: Peak learning rate.
        batch_size: Crystals per step.
        preset: Network preset, for cgcnn only.
        max_samples: Crystals used, all parts together.
        seed: Seed of the weights, the batches and every other random draw of the run.
        data: Name of a data set, or a path.
        output: Folder that holds the families of runs.
        split: How crystals are divided: ``random``, ``composition``, ``kfold:5/1`` and the like.
        drop_twins: Leave out validation and test crystals with a twin in the training part.
        cutoff: Longest edge of the graphs, angstrom.
        patience: Epochs without a better validation score before the run stops early.
        balance: How the losses of the properties are weighed.
        precision: Arithmetic of the forward pass: ``fp32`` or ``bf16``.
        backbone: Pretrained potential whose features the run reads.
        from_: Run or model file whose weights the run starts from.
        freeze: With ``from_``: ``backbone`` trains the heads alone, ``none`` everything.
        new_heads: With ``from_``: begin with untrained heads.
        settings: Other settings, one per path, in the order of the configuration; an option for the same wins.
        origins: Origins of fields that no option gave, by name: ``file run.yaml``.

    Raises:
        RequestError: Options contradict each other, or a value is invalid.
        UnknownNameError: A name is unknown; the nearest valid one is offered.
    """

    algorithm: str = "e3nn"
    level: str | None = None
    competition: bool = False
    all_properties: bool = False
    properties: tuple[str, ...] | None = None
    own_properties: tuple[PropertyDefinition, ...] = ()
    epochs: int | None = None
    lr: float | None = None
    batch_size: int | None = None
    preset: str | None = None
    max_samples: int | None = None
    seed: int | None = None
    data: str | None = None
    output: Path = Path("models")
    split: str | None = None
    drop_twins: bool = False
    cutoff: float | None = None
    patience: int | None = None
    balance: str | None = None
    precision: str | None = None
    backbone: str | None = None
    from_: str | None = None
    freeze: str | None = None
    new_heads: bool = False
    settings: tuple[Setting, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        _refuse_unknown_names(self)
        object.__setattr__(self, "settings", _checked_settings(self))
        _refuse_contradictions(self)
        _refuse_bad_numbers(self)
        _refuse_bad_paths(self)

    @property
    def profile(self) -> Profile:
        """Row of the levels table that the request is based on."""
        return profile(self.algorithm, self.mode)

    @property
    def mode(self) -> str:
        """``competition``, or the level."""
        if self.competition:
            return "competition"
        return self.level or DEFAULT_LEVEL

    def given(self, name: str) -> bool:
        """Return whether a field was given."""
        value = getattr(self, name)
        return value is not None and value is not False and value != ()  # 0 is a seed

    def origin(self, name: str) -> str:
        """Return the origin of a given field: its option, ``--set`` or a configuration file."""
        return self.origins.get(name, flag(name))

    def command(self) -> list[str]:
        """Return the ``phase2 train`` command line of this request; it needs no configuration file."""
        words = ["phase2", "train"]
        for name, default in _option_fields().items():
            value = getattr(self, name)
            if value == default and name != "algorithm":
                continue
            if name == "own_properties":
                words += [word for definition in self.own_properties for word in (flag(name), definition.text)]
            else:
                words += [flag(name)] if value is True else [flag(name), _as_text(value)]
        for setting in self.settings:
            words += [SET, setting.text]
        return words

    @classmethod
    def from_command(cls, words: Sequence[str]) -> RunRequest:
        """Parse a command line that :meth:`command` made, without its ``--output``.

        Raises:
            RequestError: Another version of phase2 made it, with options that this one does not know.
        """
        known = {flag(name): name for name in _option_fields()} | {SET: "settings"}
        values: dict[str, Any] = {}
        settings: list[Setting] = []
        rest = list(words[2:])
        while rest:
            name = known.get(rest.pop(0))
            if name is None or (name not in _SWITCHES and not rest):
                raise RequestError(
                    f"'{' '.join(words)}' is not understood.",
                    why="Another version of phase2 wrote it.",
                    fix="Give the options of the run themselves.",
                )
            if name == "settings":
                settings.append(parse_setting(rest.pop(0)))
            elif name == "own_properties":
                values[name] = (*values.get(name, ()), *_definitions(rest.pop(0)))
            else:
                values[name] = True if name in _SWITCHES else _READERS.get(name, str)(rest.pop(0))
        values.pop("output", None)
        return cls(**values, settings=tuple(settings))


_SWITCHES = ("competition", "all_properties", "drop_twins", "new_heads")
_READERS: dict[str, Callable[[str], Any]] = {
    "properties": lambda text: tuple(text.split(",")),
    "epochs": int, "batch_size": int, "max_samples": int, "seed": int, "lr": float, "cutoff": float, "patience": int,
}  # fmt: skip


def _as_text(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _definitions(text: str) -> tuple[PropertyDefinition, ...]:
    from phase2.config.data.property_texts import parse_property  # with pydantic, which takes a while

    return parse_property(text)


def _option_fields() -> dict[str, object]:
    """Return the fields that have an option, with their defaults."""
    return {one.name: one.default for one in fields(RunRequest) if one.name not in ("settings", "origins")}


def _checked_settings(request: RunRequest) -> tuple[Setting, ...]:
    """Validate settings; keep the last one of each path, unless an option overrides it."""
    if not request.settings:
        return ()
    from phase2.config.paths import check_setting, settings_of_algorithm  # with pydantic, which takes a while

    algorithm = request.profile.algorithm
    checked = {one.path: check_setting(one, algorithm) for one in request.settings}
    for path, name in FIELD_PATHS.items():
        if path in checked:
            raise RequestError(
                f"'{path}' is no setting beside a request.",
                why=f"A request has the field '{name}' for it.",
                fix="Combine them with phase2.config.combine.combine.",
            )
    given = {path for name, path in FLAG_PATHS.items() if request.given(name)}
    return tuple(checked[path] for path in settings_of_algorithm(algorithm) if path in checked.keys() - given)


def _refuse_unknown_names(request: RunRequest) -> None:
    closed = (
        ("algorithm", ALGORITHMS),
        ("level", LEVELS),
        ("preset", PRESETS),
        ("balance", BALANCES),
        ("precision", PRECISIONS),
        ("backbone", tuple(FOUNDATION_MODELS)),
        ("freeze", FREEZES),
    )
    for name, valid in closed:
        value = getattr(request, name)
        if value is not None and value not in valid:
            raise UnknownNameError.of(name, value, valid)
    if request.split is not None:
        parse_split(request.split)
    if request.own_properties:
        from phase2.config.data.property_texts import check_definitions

        check_definitions(request.own_properties)
    select_properties(request.properties, own=[one.as_property() for one in request.own_properties])


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
    _refuse_tuning_without_source(request)
    _refuse_use_without_features(request)
    overrides = [flag(name) for name in ("from_", *FLAG_PATHS) if request.given(name)]
    overrides += [one.path for one in request.settings]
    if request.profile.fixed and overrides:
        raise RequestError(
            f"{', '.join(overrides)} cannot be combined with {request.algorithm} {request.mode}.",
            why=f"This run is fixed at {request.profile.epochs} epochs and {request.profile.max_samples} structures.",
            fix="Drop the override, or use --level smoke.",
        )


def _refuse_use_without_features(request: RunRequest) -> None:
    paths = [one.path for one in request.settings if one.path.startswith("foundation.")]
    if paths and request.backbone is None and BACKBONE not in paths:
        raise RequestError(
            f"{', '.join(paths)} cannot be given without --backbone.",
            why="It says how the features of a pretrained potential are used.",
            fix=f"Name the potential: --backbone {next(iter(FOUNDATION_MODELS))}.",
        )


def _refuse_tuning_without_source(request: RunRequest) -> None:
    if request.from_ == "":
        raise RequestError("--from is empty.", fix="Name a run or a model file, or drop --from.")
    lost = [flag(name) for name in ("freeze", "new_heads") if request.given(name)]
    lost += [one.path for one in request.settings if one.path.startswith("fine_tuning.")]
    if lost and request.from_ is None:
        raise RequestError(
            f"{', '.join(lost)} cannot be given without --from.",
            why="A run that starts from random weights has nothing to freeze or to keep.",
            fix="Name the run or the best.pt to start from: --from RUN.",
        )


def _refuse_bad_numbers(request: RunRequest) -> None:
    for name in ("epochs", "batch_size", "max_samples", "patience"):
        value = getattr(request, name)
        if value is not None and value < 1:
            raise RequestError(f"{flag(name)} {value} is not a positive number.", fix="Give 1 or more.")
        if value is not None and value > MOST_COUNTED:
            raise RequestError(f"{flag(name)} {value} is out of range.", fix=f"Give {MOST_COUNTED} or less.")
    if request.lr is not None and request.lr > MOST_RATE:
        raise RequestError(f"--lr {request.lr} is out of range.", fix="Give a learning rate such as 1e-3.")
    if request.lr is not None and not (math.isfinite(request.lr) and request.lr > 0):
        raise RequestError(f"--lr {request.lr} is not a positive number.", fix="Give a learning rate such as 1e-3.")
    if request.cutoff is not None and not 0 < request.cutoff <= 20:
        raise RequestError(
            f"--cutoff {request.cutoff} is out of range.",
            why="It is the longest edge of a graph, above 0 and of at most 20 angstrom.",
            fix="Give a length such as 6.",
        )
    if request.seed is not None and not 0 <= request.seed < 2**32:
        raise RequestError(f"--seed {request.seed} is out of range.", fix="Give a number from 0 to 4294967295.")


def _refuse_bad_paths(request: RunRequest) -> None:
    for name in ("data", "from_", "split", "output"):
        path = str(getattr(request, name) or "")
        if len(path) > LONGEST_ADDRESS:
            raise RequestError(f"{flag(name)} is too long.", fix=f"Give {LONGEST_ADDRESS} characters or less.")
        if not is_utf8(path):
            raise RequestError(
                f"{flag(name)} {path} is not UTF-8.",
                why="The records of a run are text, and could not hold it.",
                fix="Rename the file or folder, or name it by a link.",
            )
