"""A small finished run, without a training."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from phase2.config.request.run_request import RunRequest
from phase2.config.resolve import resolve
from phase2.config.schema import TrainingConfig
from phase2.machine.code import Code
from phase2.machine.hardware import Hardware
from phase2.machine.place import Place
from phase2.properties import select_properties
from phase2.runs.layout import RunDirectory
from phase2.runs.records.attempts import Attempt
from phase2.runs.records.manifest import DataFacts, RunManifest
from phase2.runs.records.predictions import PartPredictions
from phase2.runs.records.results import PropertyMetrics, Results
from phase2.runs.records.run_config import RecordedConfig
from phase2.storage.records import write_record
from phase2.testing.finished_run import seal_with_files

KEYS = ("formation_energy", "band_gap", "bulk_modulus")
MEASURED = {  # count, MAE, RMSE, R2, MAE of the median
    "formation_energy": (394, 0.1, 0.2, 0.95, 0.8),
    "band_gap": (12, 0.9, 1.1, -0.1, 0.75),
    "bulk_modulus": (0, None, None, None, None),
}


def result_of(key: str) -> PropertyMetrics:
    count, mae, rmse, r2, baseline = MEASURED[key]
    unit = select_properties([key])[0].unit
    return PropertyMetrics.from_errors(key, unit, count, mae=mae, rmse=rmse, r2=r2, baseline_mae=baseline)


@pytest.fixture
def resolved():
    request = RunRequest(algorithm="cgcnn", level="smoke", properties=(*KEYS, "spillage"), epochs=3)
    run = resolve(request)
    # Explicit, so that the golden pages do not change with the defaults.
    fitting = TrainingConfig(epochs=3, batch_size=64, lr=1e-3, loss="huber", balance="uncertainty")
    return replace(run, config=run.config.model_copy(update={"training": fitting}))


@pytest.fixture
def results() -> Results:
    part = tuple(result_of(key) for key in KEYS)
    return Results(
        run_id="4f1c2a",
        algorithm="cgcnn",
        mode="smoke",
        properties=KEYS,
        left_out=("spillage",),
        best_epoch=2,
        epochs=3,
        score=0.6625,
        train_labels=dict.fromkeys(KEYS, 640),
        mean_epoch_seconds=1.25,
        val=part,
        test=part,
    )


@pytest.fixture
def data() -> DataFacts:
    return DataFacts(
        source="sample",
        fingerprint="ab" * 32,
        split_fingerprint="cd" * 32,
        read=6317,
        rejected=3,
        unlabelled=1200,
        used=800,
        train=640,
        val=80,
        test=80,
        labels={part: dict.fromkeys(KEYS, count) for part, count in (("train", 640), ("val", 80), ("test", 80))},
    )


@pytest.fixture
def recorded(resolved) -> RecordedConfig:
    return RecordedConfig(
        run_id="4f1c2a",
        created=datetime(2026, 11, 24, 9, 30, tzinfo=UTC),
        command=tuple(resolved.request.command()),
        digest="ef" * 32,
        config=resolved.config,
        origins=dict(resolved.origins),
    )


@pytest.fixture
def manifest(recorded, results, data) -> RunManifest:
    start = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    return RunManifest.draft(
        recorded,
        status="finished",
        attempts=(Attempt(start=start, end=start.replace(minute=40), outcome="finished", host="machine"),),
        code=Code(
            phase2="0.1.0",
            commit="12" * 20,
            dirty=True,
            image_digest=None,
            python="3.11.7",
            packages={"numpy": "2.4.6", "torch": "2.15.0"},
        ),
        hardware=Hardware(cpu="A CPU", cores=2, memory_bytes=8 * 2**30, gpu=None, platform="Linux x86_64"),
        place=Place(process=7, host="machine", pod=None, namespace=None, node=None, workflow=None),
        data=data,
        results=results,
    )


@pytest.fixture
def run(tmp_path, resolved) -> RunDirectory:
    return RunDirectory.create(tmp_path / "models", resolved.config.family)


@pytest.fixture
def predictions() -> PartPredictions:
    reference = np.array([[-1.25, np.nan], [0.1, 12.0], [np.nan, np.nan]])
    predicted = np.array([[-1.0, 3.0], [1 / 3, 10.0], [0.0, 1.0]])
    properties = select_properties(["formation_energy", "dielectric"])
    return PartPredictions(properties, ["a", "b", "c,d"], ["NaCl", "Si", "MgO"], reference, predicted)


@pytest.fixture
def make_run(manifest, recorded):
    """Make a finished run with the given files and manifest fields: ``make_run(output, name, score=0.5)``."""

    def make(output, name="run_20261124T093000Z_4f1c2a", *, files=None, after=0, **fields) -> RunDirectory:
        run = RunDirectory(output / fields.get("family", manifest.family) / name)
        run.path.mkdir(parents=True)
        write_record(run.run_config, recorded.model_copy(update={"run_id": run.run_id}))
        shift = timedelta(minutes=after)
        attempts = [a.model_copy(update={"start": a.start + shift, "end": a.end + shift}) for a in manifest.attempts]
        draft = manifest.model_copy(update={"run_id": run.run_id, "attempts": tuple(attempts), **fields})
        return seal_with_files(run, draft, {"best.pt": b"weights of " + name.encode()} if files is None else files)

    return make
