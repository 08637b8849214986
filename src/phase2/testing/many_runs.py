"""Many different runs without a training, for tests and benchmarks of whatever lists, compares or shows runs."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from phase2.config.levels import LEVELS
from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import ResolvedRun, resolve
from phase2.machine.code import Code, detect_code
from phase2.machine.hardware import Hardware, detect_hardware
from phase2.machine.place import Place, detect_place
from phase2.properties import select_properties
from phase2.runs.artifacts import Artifact
from phase2.runs.layout import BEST, HANDOFF, TIME_FORMAT, RunDirectory
from phase2.runs.records.attempts import Attempt, Status
from phase2.runs.records.history import EpochRow
from phase2.runs.records.manifest import DataFacts, RunManifest
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.records.run_config import RecordedConfig
from phase2.storage.records import to_json

_FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_MEDIANS = {"formation_energy": 0.8, "band_gap": 0.75, "bulk_modulus": 60.0, "shear_modulus": 40.0}
_STATES: tuple[Status, ...] = (*("finished",) * 8, "failed", "interrupted")
_PARTS = ("train", "val", "test")


def write_runs(models: Path, count: int, *, epochs: int = 20, seed: int = 1) -> None:
    """Write runs that differ in algorithm, level, seed, rate, data, errors and state, with manifest and history alone.

    Every record is one that phase2 reads as a run's; the model files that the manifests list are not there.

    Args:
        models: Folder of the runs.
        count: Number of runs.
        epochs: Epochs in each history.
        seed: Seed of what is drawn.
    """
    draw = random.Random(seed)  # noqa: S311 - no secret
    facts = (detect_code(), detect_hardware(), detect_place())
    for number in range(count):
        request = RunRequest(
            algorithm=draw.choice(("cgcnn", "e3nn")), level=draw.choice([level for level in LEVELS if level != "lite"]),
            seed=number % 7, lr=draw.choice((3e-4, 1e-3, 3e-3)), epochs=epochs, batch_size=draw.choice((16, 32, 64)),
        )  # fmt: skip
        resolved = resolve(request)
        started = _FIRST + timedelta(minutes=17 * number)
        run = RunDirectory(models / resolved.config.family / f"run_{started.strftime(TIME_FORMAT)}_{number:06x}")
        run.path.mkdir(parents=True)
        history = _history(draw, epochs)
        recorded = _recorded(run, resolved, started)
        manifest = _manifest(recorded, draw, history, facts)
        run.manifest.write_text(to_json(manifest.model_dump(mode="json")), encoding="utf-8")
        run.history.write_text(json.dumps([row.to_dict() for row in history]), encoding="utf-8")


def _history(draw: random.Random, epochs: int) -> list[EpochRow]:
    level, rate = draw.uniform(0.2, 0.9), draw.uniform(0.05, 0.5)
    return [_epoch(epoch, level + (1.1 - level) / (1 + rate * epoch), draw) for epoch in range(1, epochs + 1)]


def _epoch(epoch: int, score: float, draw: random.Random) -> EpochRow:
    return EpochRow(
        epoch=epoch,
        step=40 * epoch,
        lr=1e-3,
        train_loss=0.9 * score,
        val_loss=score,
        val_score=score,
        val_mae={key: median * score * draw.uniform(0.9, 1.1) for key, median in _MEDIANS.items()},
        seconds=12.5,
        structures_per_second=400.0,
        data_wait=0.02,
    )


def _recorded(run: RunDirectory, resolved: ResolvedRun, started: datetime) -> RecordedConfig:
    return RecordedConfig(
        run_id=run.run_id,
        created=started,
        command=tuple(resolved.request.command()),
        digest=resolved.config.digest,
        config=resolved.config,
        origins=dict(resolved.origins),
    )


def _manifest(
    recorded: RecordedConfig, draw: random.Random, history: list[EpochRow], facts: tuple[Code, Hardware, Place]
) -> RunManifest:
    status, best = draw.choice(_STATES), min(history, key=lambda row: row.val_score)
    end = recorded.created + timedelta(seconds=12.5 * len(history))
    reason = "" if status == "finished" else "Preempted"
    attempts = [Attempt(start=recorded.created, end=end, outcome=status, reason=reason)]
    if recorded.created.hour % 2:  # not drawn, so that all else is as it was
        attempts[0] = attempts[0].model_copy(update={"resumed_from": "epoch 1, step 40"})
        attempts.insert(0, Attempt(start=recorded.created, end=recorded.created, outcome="interrupted"))
    code, hardware, place = facts
    draft = RunManifest.draft(
        recorded, status=status, attempts=tuple(attempts), code=code, hardware=hardware, place=place,
        data=_data(draw.randrange(3)),
    )  # fmt: skip
    if status != "finished":
        return draft
    part = tuple(_errors(key, best.val_mae[key] or 0.0) for key in _MEDIANS)
    files = tuple(Artifact(path=name, bytes=400_000, sha256="ab" * 32) for name in (BEST, HANDOFF, "MODEL_CARD.md"))
    found = {"best_epoch": best.epoch, "epochs": len(history), "score": best.val_score, "val": part, "test": part}
    return draft.model_copy(update={**found, "mean_epoch_seconds": 12.5, "artifacts": files})


def _errors(key: str, mae: float) -> PropertyMetrics:
    unit = select_properties([key])[0].unit
    return PropertyMetrics.from_errors(key, unit, 400, mae=mae, rmse=1.4 * mae, r2=0.8, baseline_mae=_MEDIANS[key])


def _data(number: int) -> DataFacts:
    labels = {part: dict.fromkeys(_MEDIANS, 400) for part in _PARTS}
    return DataFacts(
        source=("sample", "jarvis-dft3d", "mine.json")[number], fingerprint=f"{number:x}" * 64,
        split_fingerprint=f"{number + 8:x}" * 64, read=5000, rejected=0, unlabelled=0, used=4800, train=4000, val=400,
        test=400, labels=labels,
    )  # fmt: skip
