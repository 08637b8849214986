"""Completing a request that starts from a trained model: the content of the model, and the settings it brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from phase2.config.assignments import Setting
from phase2.config.levels import Algorithm
from phase2.config.paths import settings_of_algorithm
from phase2.config.request.options import BACKBONE, FLAG_PATHS
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import SOURCE_DIGEST, flatten, resolve
from phase2.config.schema import RunConfig
from phase2.errors import RequestError
from phase2.runs.addresses import model_file_at
from phase2.runs.ancestry.locate import address_of
from phase2.runs.ancestry.model_header import ModelHeader, read_model_header

INHERITED = ("model.", "data.graph.", "data.per_volume", "foundation.")
"""Beginnings of the paths of settings that a run takes over from the model it starts from."""

_SIZES: dict[Algorithm, str] = {"cgcnn": "model.preset", "e3nn": "model.size"}


def inherit_settings(request: RunRequest) -> RunRequest:
    """Return a request with the settings of the model that it starts from; others are returned as they are.

    The digest of the model becomes a setting, so that the request names the content of the model. One that has the
    digest already is complete, and the model is not looked for: a run that is resumed does without it.

    Raises:
        RequestError: There is no such model, or a setting was given that differs from the model's.
        ModelFileError: The model file is damaged.
        DataError: The model file is damaged in the store.
        TransientError: The store does not answer.
    """
    if request.from_ is None or any(one.path == SOURCE_DIGEST for one in request.settings):
        return request
    address = address_of(request.from_, request.output)
    header = read_model_header(model_file_at(address))
    algorithm = request.profile.algorithm
    if header.config.algorithm != algorithm:
        raise RequestError(
            f"Run {header.run_id} trained a network of {header.config.algorithm}, and this request is of {algorithm}.",
            why="Weights fit the network that they were trained in.",
            fix=f"Add --algorithm {header.config.algorithm}.",
        )
    _refuse_conflicts(request, header)
    return _completed(replace(request, from_=address), header, algorithm)


def _refuse_conflicts(request: RunRequest, header: ModelHeader) -> None:
    theirs = _inherited(header.config)
    for given in _given(request):
        own = list(given.value) if isinstance(given.value, tuple) else given.value
        if given.path.startswith(INHERITED) and own != theirs.get(given.path):
            there = theirs.get(given.path, "not set")
            raise RequestError(
                f"{given.path} is {own} by {given.origin}, and {there} in run {header.run_id}.",
                why="A run that starts from a model has its network and its graphs.",
                fix="Drop the setting, or start without --from.",
            )


def _given(request: RunRequest) -> Iterator[Setting]:
    """Yield the settings that were given, in whatever way."""
    yield from request.settings
    for name, path in FLAG_PATHS.items():
        if request.given(name):
            yield Setting(path, getattr(request, name), request.origin(name))


def _completed(request: RunRequest, header: ModelHeader, algorithm: Algorithm) -> RunRequest:
    """Add the digest and those settings in which the model differs from what the request resolves to."""
    theirs, origin = _inherited(header.config), f"run {header.run_id}"
    added: dict[str, Setting] = {SOURCE_DIGEST: Setting(SOURCE_DIGEST, header.sha256, origin)}
    size = _SIZES[algorithm]
    # Names of sizes and potentials first, since they stand for several settings.
    for paths in ([size, BACKBONE], list(theirs)):
        made = _inherited(resolve(_with(request, added)).config)
        for path in paths:
            if made.get(path) != theirs.get(path):
                value = theirs[path]
                added[path] = Setting(path, tuple(value) if isinstance(value, list) else value, origin)
    return _with(request, added)


def _with(request: RunRequest, added: dict[str, Setting]) -> RunRequest:
    return replace(request, settings=(*request.settings, *added.values()))


def _inherited(config: RunConfig) -> dict[str, object]:
    known = settings_of_algorithm(config.algorithm)
    values = flatten(config.model_dump(mode="json"))
    return {path: value for path, value in values if path.startswith(INHERITED) and path in known}
