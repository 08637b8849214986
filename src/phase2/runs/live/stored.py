"""Looking at runs in a store, be it a bucket or the models folder of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError

from phase2.errors import ModelFileError, RequestError
from phase2.output.durations import short_duration
from phase2.runs.catalog.summary import RunSummary
from phase2.runs.catalog.unfinished import UnfinishedRun, read_attempts
from phase2.runs.keys import local_run
from phase2.runs.live.points import EpochPoint, thinned
from phase2.runs.live.record import MOST_ROWS, LiveRecord
from phase2.runs.live.view import RunView
from phase2.runs.publish.reader import PublishedRun
from phase2.runs.records.attempts import Attempt
from phase2.runs.records.history import EpochRow
from phase2.runs.remote.checkpoints import live_key
from phase2.storage.base import ObjectDamagedError, ObjectMissingError, Store
from phase2.storage.records import parse_record

SILENCE = 300.0
"""Seconds without news after which a run in a bucket may have been lost."""
_PROCESS_SILENCE = 10.0
_ROWS = TypeAdapter(tuple[EpochRow, ...])


def view_stored(store: Store, run: RunSummary, *, now: datetime | None = None) -> RunView:
    """Read what there is to see of a run: two or three small objects.

    Args:
        store: The store.
        run: The run.
        now: The current time; None reads this machine's clock.

    Raises:
        RequestError: The run is gone, or the store cannot be read.
        TransientError: The store does not answer.
        ModelFileError: What it says of the run is damaged.
    """
    live = _live_record(store, run.prefix)
    if live is not None:
        return _of_record(live, store, run, now or datetime.now(UTC))
    with suppress(RequestError):  # no manifest
        return _of_manifest(PublishedRun.open(store, run.prefix))
    return _of_unfinished(UnfinishedRun.read(store, run), store)


def _live_record(store: Store, prefix: str) -> LiveRecord | None:
    """Return what a training says of itself; None where it says nothing, or what is damaged: the rest says enough."""
    folder = local_run(store, prefix)
    keys = (live_key(prefix),) if folder is None else (f"{prefix}/{folder.progress.name}", live_key(prefix))
    for key in keys:
        try:
            return parse_record(store.read(key), LiveRecord, where=key)
        except (ObjectMissingError, ObjectDamagedError, ModelFileError):
            continue
    return None


def _of_record(live: LiveRecord, store: Store, run: RunSummary, now: datetime) -> RunView:
    attempts = read_attempts(store, run.prefix)
    state, message = _state(live, attempts, store, run, now)
    has_ended = state not in {"running", "finishing"}
    return RunView(
        run_id=live.run_id,
        algorithm=live.algorithm,
        mode=live.mode,
        state=state,
        has_ended=has_ended and state != "silent",
        message=message,
        where=live.host,
        device=live.device,
        attempts=attempts,
        attempt=live.attempt,
        started=live.started,
        updated=live.updated,
        step=live.step,
        steps=live.steps,
        epochs=live.epochs,
        rate=live.rate,
        eta_seconds=live.eta_seconds,
        gpu=live.gpu,
        points=tuple(map(EpochPoint.of, live.rows)),
    )


def _state(
    live: LiveRecord, attempts: Sequence[Attempt], store: Store, run: RunSummary, now: datetime
) -> tuple[str, str]:
    """Return the state of a run that has a record, and more about it."""
    last = attempts[-1] if attempts else None
    if last is not None and last.outcome not in {"running", "finished"}:
        return last.outcome, last.reason
    folder = local_run(store, run.prefix)
    silence = (now - live.updated).total_seconds()
    if folder is not None and silence > _PROCESS_SILENCE and not folder.is_running():
        return "killed", f"its process has gone, {short_duration(silence)} ago"
    if silence > SILENCE:
        return "silent", f"no news for {short_duration(silence)}: it may have been killed, or be stuck"
    if live.phase == "finishing":
        return "finishing", "the baselines are fitted and the run is closed"
    stalled = (now - live.last_step).total_seconds()
    return "running", f"no step for {short_duration(stalled)}" if stalled > SILENCE else ""


def _of_manifest(run: PublishedRun) -> RunView:
    manifest = run.manifest
    rows: tuple[EpochRow, ...] = ()
    listed = {artifact.path: artifact for artifact in manifest.artifacts}
    if (history := listed.get("history.json")) is not None:
        with suppress(ValidationError):
            rows = _ROWS.validate_json(run.read_range(history, 0, history.bytes))
    last = manifest.attempts[-1]
    return RunView(
        run_id=manifest.run_id,
        algorithm=manifest.algorithm,
        mode=manifest.mode,
        state=manifest.status,
        has_ended=True,
        message=last.reason,
        where=manifest.place.pod or manifest.place.host,
        attempts=manifest.attempts,
        attempt=len(manifest.attempts),
        started=last.start,
        updated=last.end,
        step=rows[-1].step if rows else 0,
        steps=rows[-1].step if rows else 0,
        epochs=manifest.epochs or 0,
        rate=rows[-1].structures_per_second if rows else None,
        points=tuple(map(EpochPoint.of, thinned(rows, MOST_ROWS))),
    )


def _of_unfinished(run: UnfinishedRun, store: Store) -> RunView:
    config, checkpoint = run.recorded.config, run.checkpoint
    last = run.attempts[-1] if run.attempts else None
    is_running = run.status == "running" or (last is not None and last.outcome == "running")
    folder = local_run(store, run.prefix)
    if folder is not None and not folder.is_running():
        is_running = False
    return RunView(
        run_id=run.recorded.run_id,
        algorithm=config.algorithm,
        mode=config.mode,
        state="running" if is_running else last.outcome if last and last.outcome != "running" else "unfinished",
        has_ended=not is_running,
        message=last.reason if last else "",
        where=last.host if last else "",
        attempts=run.attempts,
        attempt=len(run.attempts),
        started=last.start if last else None,
        updated=checkpoint.saved if checkpoint else None,
        step=checkpoint.step if checkpoint else 0,
        epochs=config.training.epochs,
    )
