"""Second step of resuming: reconcile the settings of the request with those of the run that it continues.

This is the only comparison of settings. It is made when the run is found, and again when its directory is locked, for
another process may have started the run in between.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from phase2.config.request.resume_request import DATA_PATH, ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import ResolvedRun, resolve
from phase2.config.schema import RunConfig
from phase2.errors import RequestError
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.resume.config_diff import changed_paths, differences

_ACCEPTABLE = {DATA_PATH: {"data.source", "fine_tuning.source"}}


def reconcile_settings(
    resolved: ResolvedRun, recorded: RecordedConfig | None, resumption: ResumeRequest
) -> tuple[ResolvedRun, str]:
    """Decide what is trained: the request, or the recorded configuration of a run that is resumed by name.

    Args:
        resolved: The request and its configuration.
        recorded: Recorded configuration of the run that it continues; None where there is none.
        resumption: How the run is to be continued. ``data-path`` among the accepted changes allows the data to be
            elsewhere; that they are the same data is checked with the checkpoint.

    Returns:
        What is trained, and the differences that were accepted, described; empty when there are none. What a request
        that names its run does not give is that of the run.

    Raises:
        RequestError: The settings differ; the message lists the differences.
    """
    if recorded is None:
        return resolved, ""
    same = recorded.digest == resolved.config.digest
    changed = [] if same else changed_paths(recorded.config, resolved.config)
    # Its default cannot be told from a choice.
    is_of_run = resolved.request.algorithm in (RunRequest().algorithm, recorded.config.algorithm)
    if resumption.run is None or not is_of_run:
        return resolved, _accepted_differences(recorded, resolved.config, changed, resumption)
    given = _given_paths(resolved)
    changed = [path for path in changed if path in given]
    accepted = _accepted_differences(recorded, resolved.config, changed, resumption)
    origins = {**recorded.origins, **{path: resolved.origins[path] for path in changed}}
    return replace(resolved, config=_with_sources(recorded.config, resolved.config, changed), origins=origins), accepted


def _given_paths(resolved: ResolvedRun) -> set[str]:
    """Return the paths of the settings that a request gives, rather than its level or a default."""
    request = resolved.request
    bare = resolve(RunRequest(algorithm=request.algorithm, level=request.level, competition=request.competition))
    given = {path for path, origin in resolved.origins.items() if origin != bare.origins.get(path)}
    return given | {"mode"} if request.given("level") or request.given("competition") else given


def _with_sources(config: RunConfig, request: RunConfig, changed: Collection[str]) -> RunConfig:
    """Return the configuration of a run with those places that the request gives anew."""
    update: dict[str, object] = {}
    if "data.source" in changed:
        update["data"] = config.data.model_copy(update={"source": request.data.source})
    if "fine_tuning.source" in changed and config.fine_tuning and request.fine_tuning:
        update["fine_tuning"] = config.fine_tuning.model_copy(update={"source": request.fine_tuning.source})
    return config.model_copy(update=update)


def _accepted_differences(
    recorded: RecordedConfig, config: RunConfig, changed: Sequence[str], resumption: ResumeRequest
) -> str:
    described = differences(recorded.config, config, changed)
    accepted = set().union(*(_ACCEPTABLE.get(change, set()) for change in resumption.accepted))
    if "fine_tuning.sha256" not in changed:
        accepted.add("fine_tuning.source")  # the same model at another address
    if set(changed) <= accepted:
        return described
    options = "Repeat its options" if resumption.run is None else "Leave them out, then they are those of the run"
    raise RequestError(
        f"The run '{recorded.run_id}' exists with other settings.",
        why=f"{described}.",
        fix=f"If the same data have moved, add --accept-change {DATA_PATH}."
        if set(changed) <= _ACCEPTABLE[DATA_PATH]
        else f"{options}, or start another run (no --resume, another PHASE2_RUN_ID).",
    )
