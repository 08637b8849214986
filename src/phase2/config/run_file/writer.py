"""Writer of configuration files that reproduce a run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from phase2.config.assignments import format_value
from phase2.config.levels import PROFILES
from phase2.config.reproduce import reproducing_request
from phase2.config.request.options import FIELD_PATHS
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import ResolvedRun, flatten
from phase2.config.run_file.reader import GROUPS, OWN

_NOT_WRITTEN = ("algorithm", "mode", "backend", "family", "all_properties", "model.kind", "data.own_properties")


def write_run_file(resolved: ResolvedRun) -> str:
    """Return a configuration file with every setting of a run and its origin as a comment.

    Read without anything else, it resolves to the same configuration. Of a run that is fixed, the settings that cannot
    be set are comments.

    Raises:
        RequestError: The configuration was changed so that no request resolves to it.

    Example:
        >>> from phase2.config.request.run_request import RunRequest
        >>> from phase2.config.resolve import resolve
        >>> print(write_run_file(resolve(RunRequest(level="smoke"))).splitlines()[2])
        algorithm: e3nn  # --algorithm
    """
    request = reproducing_request(resolved)
    lines = [
        f"# The run of: {shlex.join(request.command())}",
        "# phase2 train --config FILE trains it; options and --set override what stands here.",
        *_option_lines(request, resolved),
        *_setting_lines(resolved),
    ]
    return "\n".join(lines) + "\n"


def _option_lines(request: RunRequest, resolved: ResolvedRun) -> Iterator[str]:
    config, origins = resolved.config, resolved.origins
    yield f"algorithm: {config.algorithm}  # {origins['algorithm']}"
    if config.mode == "competition":
        yield f"competition: true  # {origins['mode']}"
    else:
        yield f"level: {config.mode}  # {origins['mode']}"
    if request.all_properties:
        yield f"all_properties: true  # {origins['all_properties']}"
    else:
        yield f"properties: {format_value(config.properties)}  # {origins['properties']}"
    if own := config.data.own_properties:
        yield f"{OWN}:  # {origins['data.own_properties']}"
        yield from (f"- {definition.text}" for definition in own)


def _setting_lines(resolved: ResolvedRun) -> Iterator[str]:
    """Yield every setting below the names of its groups."""
    fixed = PROFILES[(resolved.config.algorithm, resolved.config.mode)].fixed
    begun: set[str] = set()
    for path, value in flatten(resolved.config.model_dump(mode="json")):
        if path in (*_NOT_WRITTEN, "properties"):
            continue
        *groups, name = path.split(".")
        for depth in range(len(groups)):
            group = ".".join(groups[: depth + 1])
            assert group in GROUPS  # noqa: S101 - what the reader takes for one
            if group not in begun:
                begun.add(group)
                yield f"{'  ' * depth}{groups[depth]}:"
        mark = "# " if fixed and path not in FIELD_PATHS else ""
        yield f"{'  ' * len(groups)}{mark}{name}: {format_value(value)}  # {resolved.origins[path]}"
