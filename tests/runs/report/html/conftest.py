"""A finished run with predictions, history and crystals, without a training."""

import hashlib

import numpy as np
import pytest

from phase2.properties import get_property
from phase2.runs.records.baselines import PropertyBaseline
from phase2.runs.records.crystals import LabelHistogram, RecordedStructure, RunCrystals, write_crystals
from phase2.runs.records.history import EpochRow, write_history
from phase2.runs.records.predictions import PartPredictions, write_predictions
from phase2.runs.records.results import PropertyMetrics

FORMULAS = ("NaCl", "Fe2O3", "MgO", "Si")
STRUCTURE = {"lattice": ((4.0, 0.0, 0.0), (0.0, 4.0, 0.0), (0.0, 0.0, 4.0)), "species": (11, 17)}


def part_of(keys, count, *, seed=0, ids=None, scale=0.1):
    rng = np.random.default_rng(seed)
    reference = rng.lognormal(1, 0.7, (count, len(keys)))
    return PartPredictions(
        properties=tuple(map(get_property, keys)),
        ids=ids or [f"c-{k}" for k in range(count)],
        formulas=[FORMULAS[k % len(FORMULAS)] for k in range(count)],
        reference=reference,
        predicted=reference + scale * rng.standard_normal(reference.shape),
    )


def results_of(part, *, median=2.0):
    found = []
    for k, prop in enumerate(part.properties):
        reference, predicted = part.labelled(k)
        error = float(np.abs(predicted - reference).mean())
        found.append(
            PropertyMetrics.from_errors(
                prop.key, prop.unit, len(reference), mae=error, rmse=error, r2=0.9, baseline_mae=median
            )
        )
    return tuple(found)


def crystals_of(part, *, structures=3):
    count = len(part.ids)
    histogram = LabelHistogram(low=0.0, high=4.0, train=(5, 9, 3, 1), val=(1, 2, 0, 0), test=(1, 1, 1, 0))
    drawn = tuple(
        RecordedStructure(id=str(name), positions=((0.0, 0.0, 0.0), (2.0, 2.0, 2.0)), **STRUCTURE)
        for name in part.ids[:structures]
    )
    return RunCrystals(
        atoms=tuple(1 + k % 40 for k in range(count)),
        space_groups=tuple((0, 1, 62, 225)[k % 4] for k in range(count)),
        distances=tuple(round(0.1 + k / count, 3) for k in range(count)),
        test_seen=tuple(range(0, count, 3)),
        val_seen=2,
        labels={prop.key: histogram for prop in part.properties},
        structures=drawn,
    )


def history_of(keys, epochs=4):
    return tuple(
        EpochRow(
            epoch=k, step=10 * k, lr=1e-3, train_loss=1 / k, val_loss=1.1 / k, val_score=0.9 / k,
            val_mae=dict.fromkeys(keys, 0.5 / k), seconds=0.5, structures_per_second=1000.0, data_wait=0.02,
        )
        for k in range(1, epochs + 1)
    )  # fmt: skip


@pytest.fixture
def full_run(make_run, tmp_path):
    """Make a run with all files: ``full_run(keys, count, ids=None, name=...)``."""

    def make(keys=("formation_energy", "bulk_modulus"), count=60, *, ids=None, name="run_20261124T093000Z_4f1c2a",
             boosting=1.0, scale=0.1, **fields):  # fmt: skip
        test, val = part_of(keys, count, ids=ids, scale=scale), part_of(keys, count, seed=1, ids=ids, scale=scale)
        baselines = tuple(
            PropertyBaseline(
                key=prop.key, unit=prop.unit, train_labels=640, median_val_mae=2.0, median_test_mae=2.0,
                boosting_val_mae=boosting, boosting_test_mae=boosting,
            )
            for prop in test.properties
        )  # fmt: skip
        files = tmp_path / "files"
        files.mkdir(exist_ok=True)
        write_predictions(files / "predictions_test.csv", test)
        write_predictions(files / "predictions_val.csv", val)
        write_history(files / "history.json", history_of(keys))
        from phase2.runs.layout import RunDirectory

        write_crystals(RunDirectory(files), crystals_of(test))
        content = {path.name: path.read_bytes() for path in files.iterdir()} | {"best.pt": b"weights"}
        return make_run(
            fields.pop("output", tmp_path / "models"), name, files=content,
            **{"properties": tuple(keys), "val": results_of(val), "test": results_of(test), "left_out": (),
               "baselines": baselines, "epochs": 4, "best_epoch": 4} | fields,
        )  # fmt: skip

    return make


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()
