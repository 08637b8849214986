"""Which run a request continues, and bringing here what a store has of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from phase2.config.request import RunRequest
from phase2.config.resolve import ResolvedRun
from phase2.config.resumption import ResumeRequest
from phase2.config.settings import run_id_of_process
from phase2.errors import ModelFileError, RequestError
from phase2.runs.layout import RunDirectory
from phase2.runs.remote.state import RemoteRun
from phase2.runs.resume.config_diff import refuse_other_settings
from phase2.runs.resume.find import BegunRun, find_existing, find_run, find_unfinished
from phase2.storage.base import Store
from phase2.training.checkpoints.checkpoint import load_checkpoint


def find_run_to_resume(resolved: ResolvedRun, resumption: ResumeRequest, store: Store | None) -> BegunRun | None:
    """Find the run that a request continues; None where it begins one.

    A process that is told its run id (``PHASE2_RUN_ID``) continues the run of that id where there is one.

    Raises:
        RequestError: There is nothing to resume, or the run has other settings.
        ModelFileError: Its configuration is damaged.
    """
    output, run_id = resolved.request.output, run_id_of_process()
    if resumption.run is not None:
        begun = find_run(output, resumption.run, store)
        if run_id not in {None, begun.run_id}:
            raise RequestError(
                f"--resume {resumption.run} and PHASE2_RUN_ID={run_id} are different runs.", fix="Drop one of the two."
            )
        return begun
    if run_id is not None:
        return find_existing(output, run_id, store)
    return find_unfinished(output, resolved.config, store) if resumption.wanted else None


def reconcile_settings(
    resolved: ResolvedRun, begun: BegunRun | None, resumption: ResumeRequest
) -> tuple[ResolvedRun, str]:
    """What is trained, and the accepted differences from what the run was begun for, in words.

    A run that is resumed by name, without options of its own, is trained with its own settings.

    Raises:
        RequestError: The settings of the request and of the run differ.
    """
    if begun is None or begun.recorded is None:
        return resolved, ""
    recorded = begun.recorded
    if resumption.run is not None and _gives_nothing(resolved.request, recorded.config.algorithm):
        return replace(resolved, config=recorded.config, origins=recorded.origins), ""
    return resolved, refuse_other_settings(recorded, resolved.config, accepted=resumption.accepted)


def bring(stored: RemoteRun, run: RunDirectory, notify: Callable[[str], None]) -> None:
    """Bring configuration, attempts and, where the store is further than this folder, the checkpoint.

    Raises:
        TransientError: The store does not answer.
    """
    stored.announce(run)
    stored.bring_attempts(run)
    brought = stored.checkpoints.fetch(run.checkpoint, after=_step(run))
    if brought is not None:
        host = f" by {brought.host}" if brought.host else ""
        notify(f"checkpoint of step {brought.step} brought from the store, saved {brought.saved:%Y-%m-%d %H:%M}{host}")


def _gives_nothing(request: RunRequest, algorithm: str) -> bool:
    """Whether a request says nothing but the folder, and perhaps the right algorithm."""
    return request in (RunRequest(output=request.output), RunRequest(algorithm=algorithm, output=request.output))


def _step(run: RunDirectory) -> int:
    """Steps of the newest checkpoint in a folder; -1 where there is none that can be used."""
    for path in (run.checkpoint, run.previous_checkpoint):
        if path.exists():
            try:
                return load_checkpoint(path).step
            except ModelFileError:
                continue
    return -1
