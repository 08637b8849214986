"""Resolving a request into a complete configuration with the origin of every value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from phase2.config.assignments import Setting
from phase2.config.data.splits import COMPOSITION, RANDOM
from phase2.config.levels import SEED, Profile
from phase2.config.request.options import BACKBONE, FLAG_PATHS
from phase2.config.request.run_request import RunRequest
from phase2.config.schema import (
    CGCNN_PRESETS,
    EQUIVARIANT_SIZES,
    PER_VOLUME,
    TRAINING_DEFAULTS,
    CgcnnConfig,
    DataConfig,
    EquivariantConfig,
    FineTuningConfig,
    FoundationConfig,
    RunConfig,
    TrainingConfig,
)
from phase2.errors import RequestError
from phase2.properties import select_properties


@dataclass(frozen=True, slots=True)
class ResolvedRun:
    """Request with its complete configuration.

    Attributes:
        request: What was asked for.
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
    """Resolve a request with the levels table and the defaults.

    The level overrides defaults; a configuration file, ``--set`` and options override the level, in this order.

    Example:
        >>> run = resolve(RunRequest(algorithm="cgcnn", level="max", epochs=3))
        >>> run.config.training.epochs, run.origins["training.epochs"]
        (3, '--epochs')
        >>> run.config.training.lr, run.origins["training.lr"]
        (0.0007, 'level cgcnn max')
    """
    row = request.profile
    size = _size(request, row)
    base = _configuration(request, row, size)
    origins = _base_origins(request, row, base, size)
    tree = base.model_dump(mode="json")
    for setting in _overrides(request):
        _assign(tree, setting.path, setting.value)
        origins[setting.path] = setting.origin
    return ResolvedRun(request, RunConfig.model_validate_json(json.dumps(tree), strict=True), origins)


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield (dotted path, leaf) of nested mappings; lists are leaves."""
    for key, value in tree.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flatten(value, f"{path}.")
        else:
            yield path, value


def _configuration(request: RunRequest, row: Profile, size: Setting) -> RunConfig:
    """Build the configuration before overrides: the level, and the fields of the request."""
    own = [definition.as_property() for definition in request.own_properties]
    selected = select_properties(request.properties, everything=request.all_properties, own=own)
    return RunConfig(
        algorithm=row.algorithm,
        mode=row.mode,
        backend=row.backend,
        family=row.family,
        properties=tuple(p.key for p in selected),
        all_properties=request.all_properties,
        seed=SEED if request.seed is None else request.seed,
        data=DataConfig(
            source="sample" if request.data is None else request.data,
            max_samples=row.max_samples,
            own_properties=request.own_properties,
            per_volume=PER_VOLUME[row.algorithm],
        ),
        model=_model(row, str(size.value)),
        training=_training(row),
        foundation=_foundation(request),
        fine_tuning=None if request.from_ is None else _fine_tuning(request, request.from_),
    )


def _training(row: Profile) -> TrainingConfig:
    own = TRAINING_DEFAULTS[row.algorithm]
    return TrainingConfig.model_validate(own | {"epochs": row.epochs, "batch_size": row.batch_size, "lr": row.lr})


def _foundation(request: RunRequest) -> FoundationConfig | None:
    name = request.backbone or next((one.value for one in request.settings if one.path == BACKBONE), None)
    return None if name is None else FoundationConfig.model_validate({"name": name})


def _fine_tuning(request: RunRequest, source: str) -> FineTuningConfig:
    digest = next((one.value for one in request.settings if one.path == SOURCE_DIGEST), None)
    if digest is None:
        raise RequestError(
            f"The model {source} to start from has not been looked up.",
            why="A configuration names its content; phase2 train, explain, submit and phase2.train look it up.",
            fix="Give fine_tuning.sha256 as well, or use one of these.",
        )
    return FineTuningConfig(source=source, sha256=str(digest))


def _model(row: Profile, size: str) -> CgcnnConfig | EquivariantConfig:
    if row.algorithm == "e3nn":
        return {str(name): config for name, config in EQUIVARIANT_SIZES.items()}[size]
    return {str(name): config for name, config in CGCNN_PRESETS.items()}[size]


SOURCE_DIGEST = "fine_tuning.sha256"
"""Path of the setting that names the content of the model a run starts from."""

_TABLE_PATHS = ("epochs", "batch_size", "lr", "max_samples")
_SIZE_PATHS: dict[str, tuple[str, ...]] = {
    "cgcnn": ("model.preset", "model.width", "model.convolutions"),
    "e3nn": ("model.size", "model.channels", "model.layers"),
}
_FIELD_PATHS: dict[str, tuple[str, ...]] = {
    "algorithm": ("algorithm", "model.kind"),
    "seed": ("seed",),
    "data": ("data.source",),
    "from_": ("fine_tuning.source",),
    "own_properties": ("data.own_properties", "properties"),
    "all_properties": ("properties", "all_properties"),
    "properties": ("properties",),
}


def _size(request: RunRequest, row: Profile) -> Setting:
    """Return the named size of the network; its origin is "" for the level's."""
    path = _SIZE_PATHS[row.algorithm][0]
    if request.preset is not None:
        return Setting(path, request.preset, request.origin("preset"))
    return next((one for one in request.settings if one.path == path), Setting(path, row.size, ""))


def _base_origins(request: RunRequest, row: Profile, config: RunConfig, size: Setting) -> dict[str, str]:
    origins = {path: "default" for path, _ in flatten(config.model_dump(mode="json"))}
    word = "competition" if request.competition else "level"
    origins["mode"] = request.origin(word) if request.given(word) else "default"
    level = f"level {row.algorithm} {row.mode}" if row.mode != "competition" else f"{row.algorithm} competition"
    for name in _TABLE_PATHS:
        if name != "max_samples" or row.max_samples is not None:
            origins[FLAG_PATHS[name]] = f"project default for {level}" if name in row.project_defaults else level
    origins.update(dict.fromkeys(("backend", "family"), level))
    origins.update(dict.fromkeys(_SIZE_PATHS[row.algorithm], size.origin or level))
    for name, paths in _FIELD_PATHS.items():
        if request.given(name):
            origins.update(dict.fromkeys(paths, request.origin(name)))
    return origins


_SPLIT = FLAG_PATHS["split"]
_METHODS = {RANDOM: "none", COMPOSITION: "composition"}
"""Splits that are settings of ``data.group_by``, as in version 0.1.0: runs of both have one digest."""


def _overrides(request: RunRequest) -> Iterator[Setting]:
    """Yield what overrides the level, in ascending order of precedence."""
    given = [*request.settings, *_options(request)]
    for setting in given:
        if setting.path == _SPLIT:
            method = _METHODS.get(str(setting.value), "none")
            yield Setting("data.group_by", method, setting.origin)
            if setting.value in _METHODS:
                continue
        elif setting.path == "data.group_by" and any(other.path == _SPLIT for other in given):
            continue
        yield setting


def _options(request: RunRequest) -> Iterator[Setting]:
    for name, path in FLAG_PATHS.items():
        if name != "preset" and request.given(name):
            yield Setting(path, getattr(request, name), request.origin(name))


def _assign(tree: dict[str, Any], path: str, value: object) -> None:
    *groups, name = path.split(".")
    for group in groups:
        tree = tree.setdefault(group, {})  # the group of limits is left out while it has the defaults
    tree[name] = value


def _text(value: object) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, list):
        return ", ".join(json.dumps(v, ensure_ascii=False) if isinstance(v, dict) else str(v) for v in value)
    return str(value)
