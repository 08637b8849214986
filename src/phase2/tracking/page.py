"""What the page of a run shows, whichever tracker keeps it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from phase2.config.resolve import flatten
from phase2.config.schema import RunConfig
from phase2.output.secrets import without_secrets
from phase2.runs.layout import RunDirectory
from phase2.runs.records.history import EpochRow
from phase2.runs.records.manifest import RunManifest

Outcome = Literal["finished", "stopped", "failed"]

RUN_TAG = "phase2.run_id"
"""Tag by which a tracker finds the page of a run again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """Page of a run, and the epochs that it should have by now.

    Attributes:
        run_id: Id of the run.
        family: Family of the run.
        name: Name of its folder.
        settings: Settings of the run by dotted path.
        tags: Tags: algorithm, level, fingerprint of the data, run id.
        rows: All epochs so far; the first attempt that a tracker sees may not be the run's first.
        times: When each of these epochs ended; empty where that is not known.
        folder: Folder for the files of trackers that keep them on this machine.
    """

    run_id: str
    family: str
    name: str
    settings: Mapping[str, str | int | float | bool]
    tags: Mapping[str, str]
    rows: tuple[EpochRow, ...]
    times: tuple[datetime, ...] = ()
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What the page of a finished run shows in addition.

    Attributes:
        metrics: Final errors by name, such as ``test/mae/band_gap``.
        best_epoch: Epoch of the model; the step of ``metrics``.
        tags: Further tags: version, commit, address in the store.
        files: Files to attach; those that are missing are left out.
        ended: When the run ended.
    """

    metrics: Mapping[str, float]
    best_epoch: int
    tags: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Path] = ()
    ended: datetime | None = None


def run_page(
    run: RunDirectory,
    config: RunConfig,
    *,
    fingerprint: str,
    rows: Sequence[EpochRow],
    started: datetime | None = None,
    folder: Path,
) -> RunPage:
    """Describe the page of a run.

    Args:
        run: Its directory, which need not exist.
        config: Its configuration.
        fingerprint: SHA-256 of its data; "" where that is not known.
        rows: Its epochs so far.
        started: When a run began that is finished: its epochs get the times that follow from their durations.
        folder: Folder for the files of trackers that keep them on this machine.
    """
    tags = {
        RUN_TAG: run.run_id,
        "phase2.family": config.family,
        "phase2.algorithm": config.algorithm,
        "phase2.level": config.mode,
        "phase2.data": config.data.source,
        "phase2.data_fingerprint": fingerprint,
        "phase2.config_digest": config.digest,
    }
    return RunPage(
        run_id=run.run_id,
        family=config.family,
        name=run.name,
        settings=dict(_settings(config)),
        tags={name: without_secrets(value) for name, value in tags.items() if value},
        rows=tuple(rows),
        times=() if started is None else tuple(_times(started, rows)),
        folder=folder,
    )


def run_result(run: RunDirectory, manifest: RunManifest, *, published: str | None) -> RunResult:
    """Describe what a finished run adds to its page.

    Args:
        run: Its directory.
        manifest: Its manifest.
        published: Its address in the store; None without a store.
    """
    tags = {
        "phase2.version": manifest.code.phase2,
        "phase2.commit": manifest.code.commit or "",
        "phase2.best_epoch": str(manifest.best_epoch),
        "phase2.store": published or "",
    }
    return RunResult(
        metrics=dict(final_metrics(manifest)),
        best_epoch=manifest.best_epoch or 0,
        tags={name: without_secrets(value) for name, value in tags.items() if value},
        files=attached_files(run),
        ended=manifest.attempts[-1].end if manifest.attempts else None,
    )


def attached_files(run: RunDirectory) -> tuple[Path, ...]:
    """Return the files of a run that its page has; the report is there where its extra is installed."""
    report = run.path / "report.html"
    return report, run.model_card, run.handoff, run.results, run.manifest, run.parity, run.learning_curve


def epoch_metrics(row: EpochRow) -> dict[str, float]:
    """Return the metrics of an epoch by name."""
    metrics = {
        "train/loss": row.train_loss,
        "val/loss": row.val_loss,
        "val/score": row.val_score,
        "lr": row.lr,
        "epoch_seconds": row.seconds,
        "structures_per_second": row.structures_per_second,
        "data_wait": row.data_wait,
    }
    return (
        metrics
        | {f"val/mae/{key}": mae for key, mae in row.val_mae.items() if mae is not None}
        | {f"val/log_loss/{key}": value for key, value in row.val_log_loss.items() if value is not None}
    )


def final_metrics(manifest: RunManifest) -> Iterator[tuple[str, float]]:
    """Yield the errors of a finished run by name, beside those of the baselines."""
    if manifest.score is not None:
        yield "final/score", manifest.score
    for part, rows in (("val", manifest.val), ("test", manifest.test)):
        for row in rows:
            found = {"mae": row.mae, "rmse": row.rmse, "r2": row.r2, "median_mae": row.baseline_mae}
            found |= {name: getattr(row, name) for name in ("log_loss", "roc_auc", "accuracy", "f1")}
            yield from ((f"final/{part}/{name}/{row.key}", x) for name, x in found.items() if x is not None)
    for baseline in manifest.baselines:
        boosting = {"val": baseline.boosting_val_mae, "test": baseline.boosting_test_mae}
        for part, error in boosting.items():
            if error is not None:
                yield f"final/{part}/boosting_mae/{baseline.key}", error


def _settings(config: RunConfig) -> Iterator[tuple[str, str | int | float | bool]]:
    for path, value in flatten(config.model_dump(mode="json")):
        if isinstance(value, str):
            yield path, without_secrets(value)
        elif isinstance(value, bool | int | float):
            yield path, value
        else:
            yield path, ", ".join(map(str, value)) if isinstance(value, list) else "-"


def _times(started: datetime, rows: Sequence[EpochRow]) -> Iterator[datetime]:
    now = started
    for row in rows:
        now += timedelta(seconds=row.seconds)
        yield now
