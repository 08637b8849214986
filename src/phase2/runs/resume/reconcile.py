"""Second step of resuming: reconcile the settings of the request with those of the run that it continues.

This is the only comparison of settings. It is made when the run is found, and again when its directory is locked, for
another process may have started the run in between.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from phase2.config.request.resume_request import DATA_PATH, ResumeRequest
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import ResolvedRun
from phase2.config.schema import RunConfig
from phase2.errors import RequestError
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.resume.config_diff import changed_paths, differences

_ACCEPTABLE = {DATA_PATH: {"data.source", "fine_tuning.source"}}


def reconcile_settings(
    resolved: ResolvedRun, recorded: RecordedConfig | None, resumption: ResumeRequest
) -> tuple[ResolvedRun, str]:
    """Decide what is trained: the request, or the recorded configuration of a run that is resumed by name alone.

    Args:
        resolved: The request and its configuration.
        recorded: Recorded configuration of the run that it continues; None where there is none.
        resumption: How the run is to be continued. ``data-path`` among the accepted changes allows the data to be
            elsewhere; that they are the same data is checked with the checkpoint.

    Returns:
        What is trained, and the differences that were accepted, described; empty when there are none.

    Raises:
        RequestError: The settings differ; the message lists the differences.
    """
    if recorded is None:
        return resolved, ""
    if resumption.run is not None and _gives_no_settings(resolved.request, recorded.config.algorithm):
        return replace(resolved, config=recorded.config, origins=recorded.origins), ""
    return resolved, _accepted_differences(recorded, resolved.config, resumption.accepted)


def _gives_no_settings(request: RunRequest, algorithm: str) -> bool:
    """Whether a request gives nothing but the output folder, and perhaps the algorithm of the run."""
    return request in (RunRequest(output=request.output), RunRequest(algorithm=algorithm, output=request.output))


def _accepted_differences(recorded: RecordedConfig, config: RunConfig, accepted: Collection[str]) -> str:
    if recorded.digest == config.digest:
        return ""
    changed, described = set(changed_paths(recorded.config, config)), differences(recorded.config, config)
    if changed <= set().union(*(_ACCEPTABLE.get(change, set()) for change in accepted)):
        return described
    raise RequestError(
        f"The run '{recorded.run_id}' exists with other settings.",
        why=f"{described}.",
        fix=f"If the same data have moved, add --accept-change {DATA_PATH}."
        if changed <= _ACCEPTABLE[DATA_PATH]
        else "Repeat its options, or start another run (no --resume, another PHASE2_RUN_ID).",
    )
