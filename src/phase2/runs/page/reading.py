"""Reading one run for the page: its manifest, or what an unfinished run has, and its history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pydantic import ValidationError

from phase2.errors import ModelFileError
from phase2.runs.catalog.summary import RunSummary
from phase2.runs.catalog.unfinished import read_attempts
from phase2.runs.identity import run_id_of
from phase2.runs.keys import manifest_key
from phase2.runs.layout import CONFIG
from phase2.runs.page.parts import ManifestPart, RecordedPart
from phase2.runs.page.row import Curves, PageRun, with_summary
from phase2.runs.records.attempts import Attempt
from phase2.runs.records.history import EpochRow, parse_history
from phase2.runs.remote.checkpoints import RemoteCheckpoints
from phase2.storage.base import ObjectDamagedError, ObjectMissingError, Store

HISTORY = "history.json"


@dataclass(frozen=True, slots=True)
class ReadRun:
    """A run as it was read.

    Attributes:
        run: What the page shows of it; None where its records are absent, damaged, or of another run.
        curves: Its learning curves; None before its first epoch, and where its history cannot be read.
    """

    run: PageRun | None
    curves: Curves | None = None


def read_run(store: Store, prefix: str) -> ReadRun:
    """Read the run ``<family>/<name>`` of a store.

    Raises:
        RequestError: The store cannot be read.
        TransientError: The store does not respond.
    """
    run = _described(store, prefix)
    if run is None or run.summary.run_id != run_id_of(prefix):
        return ReadRun(None)
    history = _history(store, prefix)
    if run.summary.epochs is None:
        run = with_summary(run, epochs=len(history) or _epochs_saved(store, prefix))
    return ReadRun(run, _curves(history) if history else None)


def _described(store: Store, prefix: str) -> PageRun | None:
    """Return what the manifest says, or the configuration and the attempts where there is no valid manifest."""
    content = _content(store, manifest_key(prefix))
    if content is not None:
        with suppress(ValidationError, IndexError):
            summary = RunSummary.from_manifest(prefix, content)
            return ManifestPart.model_validate_json(content).describe(summary)
    content = _content(store, f"{prefix}/{CONFIG}")
    if content is None:
        return None
    try:
        summary, recorded = RunSummary.from_config(prefix, content), RecordedPart.model_validate_json(content)
    except ValidationError:
        return None
    attempts = _attempts(store, prefix)
    run = recorded.describe(summary, attempts)
    return _ended(run, attempts[-1]) if attempts else run


def _ended(run: PageRun, last: Attempt) -> PageRun:
    """Return a run without a manifest as its last attempt left it."""
    if last.pruned_at is not None:
        return with_summary(run, status="pruned", epochs=last.pruned_at, ended=last.end)
    if last.outcome == "failed":
        return with_summary(run.model_copy(update={"handoff": "none"}), status="failed", ended=last.end)
    if last.outcome == "interrupted":
        return with_summary(run, status="interrupted", ended=last.end)
    return run


def _attempts(store: Store, prefix: str) -> Sequence[Attempt]:
    with suppress(ModelFileError, ObjectDamagedError):  # 'phase2 runs show' reports damaged attempts
        return read_attempts(store, prefix)
    return ()


def _history(store: Store, prefix: str) -> Sequence[EpochRow]:
    key = f"{prefix}/{HISTORY}"
    content = _content(store, key)
    with suppress(ModelFileError):  # 'phase2 runs verify' reports a damaged history
        return () if content is None else parse_history(content, where=key)
    return ()


def _epochs_saved(store: Store, prefix: str) -> int:
    """Return the epochs of the newest checkpoint in the store: a bucket gets the history with the finished run."""
    pointer = RemoteCheckpoints(store, prefix).pointer()
    return pointer.newest.epoch if pointer else 0


def _content(store: Store, key: str) -> bytes | None:
    """Return the content of an object; None where it was removed since it was listed, never existed, or is damaged."""
    try:
        return store.read(key)
    except (ObjectMissingError, ObjectDamagedError):
        return None


def _curves(history: Sequence[EpochRow]) -> Curves:
    def column(of: Callable[[EpochRow], float]) -> tuple[float, ...]:
        return tuple(_rounded(of(row)) for row in history)

    keys = dict.fromkeys(key for row in history for key in row.val_errors)
    return Curves(
        train_loss=column(lambda row: row.train_loss),
        val_loss=column(lambda row: row.val_loss),
        score=column(lambda row: row.val_score),
        lr=column(lambda row: row.lr),
        seconds=column(lambda row: row.seconds),
        mae={key: tuple(_maybe_rounded(row.val_errors.get(key)) for row in history) for key in keys},
    )


def _rounded(value: float) -> float:
    """Round to five digits, which a picture cannot tell from all of them."""
    return float(f"{value:.5g}")


def _maybe_rounded(value: float | None) -> float | None:
    return None if value is None else _rounded(value)
