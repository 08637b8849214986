"""The levels table: the single source of truth for what each level trains.

Argo enums, the chart's schema, the admission policy and the documentation are generated from here. The module imports
nothing heavy, so that the command line can offer its names at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from phase2.errors import UnknownNameError

Algorithm = Literal["e3nn", "cgcnn"]
Level = Literal["smoke", "lite", "std", "pro", "max"]
Mode = Literal["smoke", "lite", "std", "pro", "max", "competition"]
Preset = Literal["small", "medium", "large"]
Backend = Literal["train_multitask_lite", "train_multitask_std", "train_multitask_pro", "train_multitask_cgcnn"]

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
LEVELS: tuple[Level, ...] = get_args(Level)
MODES: tuple[Mode, ...] = get_args(Mode)
PRESETS: tuple[Preset, ...] = get_args(Preset)
BACKENDS: tuple[Backend, ...] = get_args(Backend)

DEFAULT_LEVEL: Level = "std"
SEED = 42

FAMILIES: Mapping[Backend, str] = MappingProxyType(
    {
        "train_multitask_lite": "multitask_lite_e3nn",
        "train_multitask_std": "multitask_std_e3nn",
        "train_multitask_pro": "multitask_pro_e3nn",
        "train_multitask_cgcnn": "multitask_cgcnn",
    }
)


@dataclass(frozen=True, slots=True)
class Profile:
    """Row of the levels table: one algorithm at one level, or in competition.

    Attributes:
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: The level, or ``competition``.
        backend: The manual's script that runs it.
        size: Preset (cgcnn) or size (e3nn) of the network.
        epochs: Passes over the training set.
        batch_size: Crystals per step.
        lr: Peak learning rate.
        max_samples: Crystals used, None for all.
        fixed: No override is accepted.
        project_defaults: Fields that the manual leaves open and this table chooses.
    """

    algorithm: Algorithm
    mode: Mode
    backend: Backend
    size: Preset
    epochs: int
    batch_size: int
    lr: float
    max_samples: int | None = None
    fixed: bool = False
    project_defaults: frozenset[str] = field(default=frozenset())

    @property
    def family(self) -> str:
        """Folder of this profile's runs, below the output folder."""
        return FAMILIES[self.backend]


def _e3nn(mode: Mode, backend: Backend, size: Preset, epochs: int, batch_size: int, lr: float) -> Profile:
    return Profile("e3nn", mode, backend, size, epochs, batch_size, lr)


def _cgcnn(
    mode: Mode,
    size: Preset,
    epochs: int,
    batch_size: int,
    *,
    lr: float | None = None,
    project_lr: float = 1e-3,
    max_samples: int | None = None,
) -> Profile:
    return Profile(
        "cgcnn",
        mode,
        "train_multitask_cgcnn",
        size,
        epochs,
        batch_size,
        lr or project_lr,
        max_samples,
        project_defaults=frozenset({"lr"}) if lr is None else frozenset(),
    )


_TABLE: tuple[Profile, ...] = (
    Profile(
        "e3nn",
        "smoke",
        "train_multitask_std",
        "small",
        5,
        8,
        2e-3,
        max_samples=512,
        project_defaults=frozenset({"max_samples"}),
    ),
    Profile(
        "e3nn",
        "lite",
        "train_multitask_lite",
        "small",
        2,
        8,
        2e-3,
        max_samples=96,
        fixed=True,
        project_defaults=frozenset({"batch_size", "lr"}),
    ),
    _e3nn("std", "train_multitask_std", "medium", 100, 16, 1e-3),
    _e3nn("pro", "train_multitask_pro", "large", 500, 4, 5e-4),
    _e3nn("max", "train_multitask_pro", "large", 800, 4, 3e-4),
    _e3nn("competition", "train_multitask_pro", "large", 260, 6, 4.5e-4),
    _cgcnn("smoke", "small", 5, 64, project_lr=5e-3, max_samples=800),
    _cgcnn("lite", "small", 40, 96, project_lr=5e-3, max_samples=3000),
    _cgcnn("std", "medium", 200, 128),
    _cgcnn("pro", "large", 300, 128),
    _cgcnn("max", "large", 500, 160, lr=7e-4),
    _cgcnn("competition", "medium", 280, 128, lr=9e-4),
)

PROFILES: Mapping[tuple[Algorithm, Mode], Profile] = MappingProxyType({(p.algorithm, p.mode): p for p in _TABLE})


def profile(algorithm: str, mode: str) -> Profile:
    """Return the row of an algorithm at a level or in competition.

    Raises:
        UnknownNameError: The algorithm or the level is unknown.
    """
    if algorithm not in ALGORITHMS:
        raise UnknownNameError.of("algorithm", algorithm, ALGORITHMS)
    if mode not in MODES:
        raise UnknownNameError.of("level", mode, LEVELS)
    return PROFILES[(algorithm, mode)]
