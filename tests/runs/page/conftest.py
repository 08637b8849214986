"""Stores with runs that the page shows."""

import json
from dataclasses import asdict

import pytest

from phase2.runs.layout import RunDirectory
from phase2.runs.records.history import EpochRow, write_history
from phase2.runs.records.run_config import RecordedConfig
from phase2.storage.urls import open_store

HANDED_ON = {"best.pt": b"weights", "HANDOFF.md": b"# Hand-off", "MODEL_CARD.md": b"# Card"}


def name_of(i):
    return f"run_20260101T0000{i:02d}Z_{i:04d}"


def history_of(epochs):
    return [
        EpochRow(
            epoch=i + 1, step=10 * (i + 1), lr=1e-3, train_loss=1 / (i + 1), val_loss=1.1 / (i + 1),
            val_score=0.9 / (i + 1), val_mae={"band_gap": 0.123456789 / (i + 1), "formation_energy": None},
            seconds=1.5, structures_per_second=100.0, data_wait=0.1,
        )
        for i in range(epochs)
    ]  # fmt: skip


def history_file(epochs):
    return json.dumps([asdict(row) for row in history_of(epochs)]).encode()


@pytest.fixture
def models(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def store(models):
    return open_store(str(models))


@pytest.fixture
def out(tmp_path):
    return open_store(str(tmp_path / "page"))


@pytest.fixture
def finish(make_run, models):
    """Put a finished run with a history into the models folder: ``finish(1, score=0.5)``."""

    def made(i, epochs=3, **fields):
        files = HANDED_ON | {"history.json": history_file(epochs)}
        return make_run(models, name_of(i), files=fields.pop("files", files), after=i, **fields)

    return made


@pytest.fixture
def begin(resolved, models):
    """Put an unfinished run into the models folder, with so many epochs done."""

    def made(epochs=2) -> RunDirectory:
        run = RunDirectory.create(models, "multitask_cgcnn")
        RecordedConfig.record(run, resolved)
        if epochs:
            write_history(run.history, history_of(epochs))
        return run

    return made
