"""Finished runs without a training, for tests and benchmarks of whatever publishes, pulls or lists runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.machine.code import detect_code
from phase2.machine.hardware import detect_hardware
from phase2.machine.place import detect_place
from phase2.runs.layout import RunDirectory
from phase2.runs.records.attempts import begin_attempt, end_attempt
from phase2.runs.records.manifest import RunManifest
from phase2.runs.records.results import PropertyMetrics, Results
from phase2.runs.records.run_config import RecordedConfig


def finished_run(output: Path, files: Mapping[str, bytes], *, run_id: str | None = None) -> RunDirectory:
    """Create a run directory below ``output`` with the given files and the manifest that lists them."""
    resolved = resolve(RunRequest(algorithm="cgcnn", level="smoke"))
    run = RunDirectory.create(output, resolved.config.family, run_id=run_id)
    recorded = RecordedConfig.record(run, resolved)
    begin_attempt(run, host="test")
    draft = RunManifest.draft(
        recorded,
        status="finished",
        attempts=end_attempt(run, "finished"),
        code=detect_code(),
        hardware=detect_hardware(),
        place=detect_place(),
        results=_results(run.run_id, resolved.config.properties),
    )
    return seal_with_files(run, draft, files)


def seal_with_files(run: RunDirectory, draft: RunManifest, files: Mapping[str, bytes]) -> RunDirectory:
    """Write files into a run directory, then the manifest that lists them."""
    for path, content in files.items():
        (run.path / path).parent.mkdir(parents=True, exist_ok=True)
        (run.path / path).write_bytes(content)
    draft.seal(run)
    return run


def _results(run_id: str, keys: tuple[str, ...]) -> Results:
    part = tuple(PropertyMetrics.from_errors(key, "", 80, mae=0.1, rmse=0.2, r2=0.9, baseline_mae=0.5) for key in keys)
    return Results(
        run_id=run_id,
        algorithm="cgcnn",
        mode="smoke",
        properties=keys,
        best_epoch=1,
        epochs=5,
        score=0.2,
        train_labels=dict.fromkeys(keys, 640),
        mean_epoch_seconds=1.0,
        val=part,
        test=part,
    )
