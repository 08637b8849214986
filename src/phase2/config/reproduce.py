"""Requests that reproduce a configuration, however it was made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from phase2.config.assignments import Setting
from phase2.config.levels import PROFILES
from phase2.config.paths import settings_of_algorithm
from phase2.config.request.options import BACKBONE, FIELD_PATHS
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import SOURCE_DIGEST, ResolvedRun, flatten, resolve
from phase2.config.schema import RunConfig
from phase2.errors import RequestError


def reproducing_request(resolved: ResolvedRun) -> RunRequest:
    """Return a request that resolves to the configuration of a run.

    That is the run's own request, unless the configuration was changed after it had been resolved.

    Raises:
        RequestError: No request resolves to it: a value was changed that follows from others.
    """
    if resolve(resolved.request).config == resolved.config:
        return resolved.request
    return request_of(resolved.config, output=resolved.request.output)


def request_of(config: RunConfig, *, output: Path = Path("models")) -> RunRequest:
    """Return the request that resolves to a configuration: its level, and what differs from that as settings.

    Raises:
        RequestError: No request resolves to it.
    """
    tuning = config.fine_tuning
    start = () if tuning is None else (Setting(SOURCE_DIGEST, tuning.sha256),)
    if config.foundation is not None:
        start = (Setting(BACKBONE, config.foundation.name), *start)
    base = RunRequest(output=output, settings=start, **_fields(config))
    size = "model.preset" if config.algorithm == "cgcnn" else "model.size"
    wanted = _values(config)
    # A named size first, since it stands for several settings.
    settings = start + _differences(wanted, _values(resolve(base).config), paths=[size])
    if PROFILES[(config.algorithm, config.mode)].fixed:
        request = base
    else:
        sized = replace(base, settings=settings)
        settings += _differences(
            wanted, _values(resolve(sized).config), paths=list(settings_of_algorithm(config.algorithm))
        )
        request = replace(base, settings=settings)
    made = _values(resolve(request).config)
    changed = [path for path in wanted if wanted[path] != made.get(path)]
    if changed or wanted.keys() != made.keys():
        shown = ", ".join(f"{path}: {wanted[path]}" for path in changed) or "another network"
        raise RequestError(
            f"No request makes this configuration: {shown}.",
            why=f"{config.algorithm} {config.mode} comes with other values, which cannot be set.",
            fix="Change settings that 'phase2 explain --yaml' lists, and leave the others as they were resolved.",
        )
    return request


def _fields(config: RunConfig) -> dict[str, Any]:
    mode: dict[str, Any] = {"competition": True} if config.mode == "competition" else {"level": config.mode}
    everything = config.all_properties and config.properties == tuple(p.key for p in config.data.properties)
    properties: dict[str, Any] = {"all_properties": True} if everything else {"properties": config.properties}
    source: dict[str, Any] = {"from_": config.fine_tuning.source} if config.fine_tuning else {}
    fields = {"algorithm": config.algorithm, "seed": config.seed, "data": config.data.source}
    return fields | {"own_properties": config.data.own_properties} | mode | properties | source


def _values(config: RunConfig) -> dict[str, object]:
    return dict(flatten(config.model_dump(mode="json")))


def _differences(wanted: dict[str, object], base: dict[str, object], *, paths: list[str]) -> tuple[Setting, ...]:
    return tuple(
        Setting(path, tuple(value) if isinstance(value, list) else value)
        for path, value in wanted.items()
        if path in paths and path not in FIELD_PATHS and base.get(path) != value
    )
