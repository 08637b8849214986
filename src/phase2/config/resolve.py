"""From a request to a complete configuration, with the origin of every value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from phase2.config.levels import SEED, Profile
from phase2.config.request import RunRequest, flag
from phase2.config.schema import (
    CGCNN_PRESETS,
    EQUIVARIANT_SIZES,
    CgcnnConfig,
    DataConfig,
    EquivariantConfig,
    RunConfig,
    TrainingConfig,
)
from phase2.properties import select_properties


@dataclass(frozen=True, slots=True)
class ResolvedRun:
    """A request with everything it implies.

    Attributes:
        request: The user's words.
        config: Everything that decides the run's numbers.
        origins: Where each value comes from, by dotted path into ``config``.
    """

    request: RunRequest
    config: RunConfig
    origins: Mapping[str, str]

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Yield (dotted path, value, origin) of every value, in the order of the schema."""
        for path, value in flatten(self.config.model_dump(mode="json")):
            yield path, _text(value), self.origins[path]


def resolve(request: RunRequest) -> ResolvedRun:
    """Complete a request from the levels table and the defaults.

    Example:
        >>> run = resolve(RunRequest(algorithm="cgcnn", level="max", epochs=3))
        >>> run.config.training.epochs, run.origins["training.epochs"]
        (3, '--epochs')
        >>> run.config.training.lr, run.origins["training.lr"]
        (0.0007, 'level cgcnn max')
    """
    row = request.profile
    config = RunConfig(
        algorithm=row.algorithm,
        mode=row.mode,
        backend=row.backend,
        family=row.family,
        properties=tuple(p.key for p in select_properties(request.properties, everything=request.all_properties)),
        all_properties=request.all_properties,
        seed=SEED if request.seed is None else request.seed,
        data=_data(request, row),
        model=_model(request, row),
        training=_training(request, row),
    )
    return ResolvedRun(request, config, _origins(request, row, config))


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield (dotted path, leaf) of nested mappings; lists are leaves."""
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flatten(value, f"{path}.")
        else:
            yield path, value


def _data(request: RunRequest, row: Profile) -> DataConfig:
    return DataConfig(
        source="sample" if request.data is None else request.data, max_samples=request.max_samples or row.max_samples
    )


def _model(request: RunRequest, row: Profile) -> CgcnnConfig | EquivariantConfig:
    if row.algorithm == "e3nn":
        return EQUIVARIANT_SIZES[row.size]
    sizes = {str(name): config for name, config in CGCNN_PRESETS.items()}
    return sizes[request.preset or row.size]


def _training(request: RunRequest, row: Profile) -> TrainingConfig:
    return TrainingConfig(
        epochs=request.epochs or row.epochs,
        batch_size=request.batch_size or row.batch_size,
        lr=request.lr or row.lr,
    )


_TABLE_PATHS: dict[str, tuple[str, ...]] = {
    "epochs": ("training.epochs",),
    "batch_size": ("training.batch_size",),
    "lr": ("training.lr",),
    "max_samples": ("data.max_samples",),
}
_SIZE_PATHS: dict[str, tuple[str, ...]] = {
    "cgcnn": ("model.preset", "model.width", "model.convolutions"),
    "e3nn": ("model.size", "model.channels", "model.layers"),
}
_FLAG_PATHS: dict[str, tuple[str, ...]] = {
    "algorithm": ("algorithm", "model.kind"),
    "seed": ("seed",),
    "data": ("data.source",),
    "preset": _SIZE_PATHS["cgcnn"],
    "all_properties": ("properties", "all_properties"),
    "properties": ("properties",),
    **_TABLE_PATHS,
}


def _origins(request: RunRequest, row: Profile, config: RunConfig) -> dict[str, str]:
    mode_flag = "--competition" if request.competition else "--level"
    origins = {path: "default" for path, _ in flatten(config.model_dump(mode="json"))}
    origins["mode"] = mode_flag if request.competition or request.level else "default"
    level = f"level {row.algorithm} {row.mode}" if row.mode != "competition" else f"{row.algorithm} competition"
    for name, paths in _TABLE_PATHS.items():
        if name == "max_samples" and row.max_samples is None:
            continue
        for path in paths:
            origins[path] = f"our choice for {level}" if name in row.ours else level
    for path in ("backend", "family", *_SIZE_PATHS[row.algorithm]):
        origins[path] = level
    for name, paths in _FLAG_PATHS.items():
        if request.given(name):
            origins.update(dict.fromkeys(paths, flag(name)))
    return origins


def _text(value: object) -> str:
    if value is None:
        return "-"
    return ", ".join(str(v) for v in value) if isinstance(value, list) else str(value)
