"""The figures: drawn for every kind of run, and left out where matplotlib is missing."""

import subprocess
import sys

import numpy as np
import pytest

from phase2.properties import PROPERTIES, select_properties
from phase2.runs.records.baselines import PropertyBaseline
from phase2.runs.records.history import EpochRow
from phase2.runs.records.predictions import PartPredictions
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.figures import draw_figures

mpl = pytest.importorskip("matplotlib")

PNG = b"\x89PNG\r\n\x1a\n"


def part_of(properties, crystals, *, value=None):
    draw = np.random.default_rng(0)
    shape = (crystals, len(properties))
    reference = draw.lognormal(0, 2, shape) if value is None else np.full(shape, value)
    predicted = np.maximum(0, reference + draw.normal(0, 1, shape))
    return PartPredictions(properties, [""] * crystals, [""] * crystals, reference, predicted)


def measured(part):
    for k, prop in enumerate(part.properties):
        reference, predicted = part.labelled(k)
        mae = float(np.abs(reference - predicted).mean()) if len(reference) else None
        yield PropertyMetrics(
            key=prop.key, unit=prop.unit, count=len(reference), mae=mae, rmse=mae, r2=None, baseline_mae=mae, ratio=None
        )


def history_of(properties, epochs, *, score=0.5):
    maes = {p.key: 0.1 / k if k != 2 else None for k, p in enumerate(properties, 1)}
    return [EpochRow(k, k, 1e-3, 1 / k, 1 / k, score, maes, 1.0, 100.0, 0.0) for k in range(1, epochs + 1)]


CASES = {
    "nine properties, many crystals": (part_of(PROPERTIES, 1500), 30, 0.5),
    "one crystal": (part_of(select_properties(["dielectric"]), 1), 1, 0.5),
    "no crystal": (part_of(select_properties(["ehull", "dielectric"]), 0), 2, 0.5),
    "no label": (part_of(select_properties(), 4, value=np.nan), 2, 0.5),
    "all zero": (part_of(select_properties(["piezoelectric"]), 3, value=0.0), 3, 0.0),
    "all equal": (part_of(select_properties(["formation_energy"]), 1200, value=-1.0), 3, 0.5),
    "enormous": (part_of(select_properties(["bulk_modulus"]), 5, value=1e300), 3, 1e30),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("error")
def test_every_kind_of_run_gets_its_figures(run, results, case):
    part, epochs, score = CASES[case]
    keys = tuple(p.key for p in part.properties)
    both = tuple(measured(part))
    achieved = results.model_copy(
        update={"properties": keys, "val": both, "test": both, "epochs": epochs, "best_epoch": 1, "score": score}
    )
    assert draw_figures(run, part, history_of(part.properties, epochs, score=score), achieved) is None
    assert run.parity.read_bytes().startswith(PNG)
    assert run.learning_curve.read_bytes().startswith(PNG)


def test_figures_leave_global_settings_alone_and_are_deterministic(run, results, predictions):
    before = dict(mpl.rcParams)
    both = tuple(measured(predictions))
    achieved = results.model_copy(update={"val": both, "test": both})
    history = history_of(predictions.properties, 3)
    draw_figures(run, predictions, history, achieved)
    first = run.parity.read_bytes()
    draw_figures(run, predictions, history, achieved)
    assert run.parity.read_bytes() == first
    assert dict(mpl.rcParams) == before


def test_figures_show_gradient_boosting(run, results, predictions):
    """The picture of errors reaches down to it."""
    both = tuple(measured(predictions))
    alone = results.model_copy(update={"val": both, "test": both})
    beside = [
        PropertyBaseline(
            key=result.key,
            unit=result.unit,
            train_labels=50,
            median_val_mae=1.0,
            median_test_mae=1.0,
            boosting_val_mae=result.mae / 50,
            boosting_test_mae=result.mae / 50,
        )
        for result in both
    ]
    drawn = []
    for achieved in (alone, alone.model_copy(update={"baselines": tuple(beside)})):
        assert draw_figures(run, predictions, history_of(predictions.properties, 3), achieved) is None
        drawn.append((run.parity.read_bytes(), run.learning_curve.read_bytes()))
    assert drawn[0][0] != drawn[1][0]
    assert drawn[0][1] != drawn[1][1]


WITHOUT = """
import sys
sys.modules.update(dict.fromkeys(["matplotlib", "torch"]))  # as if they were not installed
import phase2.runs.records.manifest, phase2.runs.catalog.lookup, phase2.runs.resume.find
import phase2.runs.report.handoff, phase2.runs.report.model_card
from phase2.runs.report.figures import draw_figures
print(draw_figures(None, None, [], None))
"""


def test_without_matplotlib_there_is_a_note():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert "phase2[report]" in done.stdout
