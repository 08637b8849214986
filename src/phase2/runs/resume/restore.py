"""Third step of resuming: claim the run, and restore its files from wherever the last attempt left them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from phase2.config.resolve import ResolvedRun
from phase2.config.settings import run_id_of_process
from phase2.runs.layout import RunDirectory
from phase2.runs.records.lineage import Lineage
from phase2.runs.records.run_config import RecordedConfig
from phase2.runs.remote.state import RemoteRun
from phase2.runs.resume.find import ExistingRun, run_id_conflict
from phase2.storage.base import Store
from phase2.storage.disk.atomic import remove_temporary_files


@dataclass(frozen=True, slots=True)
class ClaimedRun:
    """A run that this process may work on once it holds the lock of the directory.

    Attributes:
        directory: Its folder on this machine.
        remote: Its state in the store; None without a store.
    """

    directory: RunDirectory
    remote: RemoteRun | None


def claim_run(
    resolved: ResolvedRun, existing: ExistingRun | None, store: Store | None, *, run_id: str | None = None
) -> ClaimedRun:
    """Make or reopen the folder of a run, and claim its id in the store.

    Args:
        resolved: The request and its configuration.
        existing: The run that is continued; None starts a new one.
        store: Store of checkpoints and finished runs.
        run_id: Id of a new run; None is that of the process, if any.

    Raises:
        RequestError: The folder or the store cannot be used, or the id belongs to another run.
        TransientError: The store does not answer.
    """
    output = resolved.request.output
    if existing is None:
        run = RunDirectory.create(output, resolved.config.family, run_id=run_id or run_id_of_process())
    else:
        run = RunDirectory.reopen(output, existing.prefix)
    if store is None:
        return ClaimedRun(run, None)
    remote = RemoteRun.claim(store, run)
    local = f"{run.family}/{run.name}"
    if remote.prefix != local:
        if existing is not None:
            raise run_id_conflict(run.run_id, local, remote.prefix)
        run.path.rmdir()  # another process claimed the id since the run was looked for
        run = RunDirectory.reopen(output, remote.prefix)
    return ClaimedRun(run, remote)


def restore_state(
    claimed: ClaimedRun,
    resolved: ResolvedRun,
    *,
    local_step: Callable[[RunDirectory], int],
    notify: Callable[[str], None],
    lineage: Lineage | None = None,
) -> RecordedConfig:
    """Restore configuration, attempts and the newest checkpoint into the locked directory of a run.

    Args:
        claimed: The run; its directory is locked by this process.
        resolved: The request, recorded if the run has no configuration yet.
        local_step: Returns the step of the newest usable checkpoint in a directory, -1 without one.
        notify: Callback receiving one line for the user.
        lineage: What the run takes over from the model that it starts from, recorded likewise.

    Returns:
        The recorded configuration of the run, which another process may have written.

    Raises:
        ModelFileError: The recorded configuration is damaged.
        TransientError: The store does not answer.
    """
    run, remote = claimed.directory, claimed.remote
    remove_temporary_files(run.path)
    if not run.run_config.exists() and (remote is None or not remote.is_announced):
        RecordedConfig.record(run, resolved, lineage)
    if remote is not None:
        remote.announce(run)
        remote.restore_attempts(run)
        _restore_checkpoint(run, remote, local_step(run), notify)
    return RecordedConfig.read(run)


def _restore_checkpoint(run: RunDirectory, remote: RemoteRun, step: int, notify: Callable[[str], None]) -> None:
    fetched = remote.checkpoints.fetch(run.checkpoint, after=step)
    if fetched is not None:
        host = f" by {fetched.host}" if fetched.host else ""
        notify(f"checkpoint of step {fetched.step} restored from the store, saved {fetched.saved:%Y-%m-%d %H:%M}{host}")
