"""The runs below an output folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from phase2.errors import ModelFileError
from phase2.runs.attempts import Status
from phase2.runs.layout import RunDirectory, runs_of_family
from phase2.runs.manifest import RunManifest, read_manifest
from phase2.runs.recorded_config import RecordedConfig


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run in a list.

    Attributes:
        run: Its directory.
        run_id: Its id.
        family: Its family.
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: The level, or ``competition``.
        status: How it ended; ``stopped`` when it was killed, or ended without a manifest.
        started: When it was started.
        ended: When its last attempt ended; None when that is unknown.
        properties: Its properties.
        score: Validation score of its best model; None when it is not finished.
    """

    run: RunDirectory
    run_id: str
    family: str
    algorithm: str
    mode: str
    status: Literal["running", "stopped"] | Status
    started: datetime
    ended: datetime | None
    properties: tuple[str, ...]
    score: float | None


def list_runs(output: Path) -> list[RunSummary]:
    """List the runs of all families, the newest first; whatever is no run is passed over."""
    return sorted(_summaries(output), key=lambda run: (run.started, run.run_id), reverse=True)


def newest_best(output: Path) -> Path:
    """The model file of the run that finished last.

    Raises:
        ModelFileError: There is no finished run.
    """
    finished = [run for run in _summaries(output) if run.status == "finished" and run.run.best.is_file()]
    if not finished:
        raise ModelFileError(
            f"There is no finished run in {output}.",
            why="A model comes from a run whose manifest says that it is finished.",
            fix="Train one with 'phase2 train --algorithm cgcnn --level smoke', or name a model with --model.",
        )
    return max(finished, key=lambda run: (run.ended or run.started, run.run_id)).run.best


def _summaries(output: Path) -> Iterator[RunSummary]:
    try:
        families = [path for path in output.iterdir() if path.is_dir()]
    except OSError:
        return
    for family in families:
        for run in runs_of_family(family):
            summary = _from_manifest(run) or _from_config(run)
            if summary is not None:
                yield summary


def _from_manifest(run: RunDirectory) -> RunSummary | None:
    try:
        manifest = read_manifest(run.manifest)
    except ModelFileError:
        return None
    return RunSummary(
        run=run,
        run_id=manifest.run_id,
        family=manifest.family,
        algorithm=manifest.algorithm,
        mode=manifest.mode,
        status="running" if manifest.status != "finished" and run.is_running() else manifest.status,
        started=_started(manifest),
        ended=manifest.attempts[-1].end if manifest.attempts else None,
        properties=manifest.properties,
        score=manifest.score,
    )


def _from_config(run: RunDirectory) -> RunSummary | None:
    try:
        recorded = RecordedConfig.read(run)
    except ModelFileError:
        return None
    return RunSummary(
        run=run,
        run_id=recorded.run_id,
        family=recorded.config.family,
        algorithm=recorded.config.algorithm,
        mode=recorded.config.mode,
        status="running" if run.is_running() else "stopped",
        started=recorded.created,
        ended=None,
        properties=recorded.config.properties,
        score=None,
    )


def _started(manifest: RunManifest) -> datetime:
    return manifest.attempts[0].start if manifest.attempts else datetime.min.replace(tzinfo=UTC)
