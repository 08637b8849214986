"""Intervals on the pages and in the picture of a run."""

import numpy as np
import pytest

from phase2.properties import get_property
from phase2.runs.records.intervals import CURVE, LevelCoverage, PropertyIntervals
from phase2.runs.report.handoff import handoff
from phase2.runs.report.model_card import model_card
from phase2.runs.report.tables.intervals import columns, rows

PNG = b"\x89PNG\r\n\x1a\n"
NO_INTERVALS = "Predictions come without an uncertainty."


def measured(key: str, labels: int, *, most: float = 1.0) -> PropertyIntervals:
    levels = tuple(
        LevelCoverage(level=level, coverage=level + 0.012, mean_width=level) for level in CURVE if level <= most
    )
    return PropertyIntervals(
        key=key,
        unit=get_property(key).unit,
        val_labels=labels,
        test_labels=labels,
        levels=levels if labels else (),
        narrow_mae=0.1 if labels else None,
        wide_mae=0.5 if labels else None,
        error_by_tenth=tuple(np.linspace(0.1, 0.5, 10)) if labels >= 10 else (),
        novel=0.02 if labels else None,
    )


INTERVALS = (measured("formation_energy", 394), measured("band_gap", 12, most=0.9), measured("bulk_modulus", 0))


@pytest.fixture
def calibrated(manifest):
    return manifest.model_copy(update={"intervals": INTERVALS})


def test_the_pages_show_coverage_and_width(calibrated):
    for page in (handoff(calibrated, "models/x/run_y"), model_card(calibrated)):
        row = "formation_energy | eV/atom | 0.51 (0.5) | 0.81 (0.8) | 0.91 (0.9) | 0.96 (0.95) | 5 | 2.0% | 394 / 394"
        assert row in page
        assert "| band_gap | eV | 0.51 (0.5) | 0.81 (0.8) | 0.91 (0.9) | - | 5 |" in page
        assert "| bulk_modulus | GPa | - | - | - | - | - | - | 0 / 0 |" in page
        assert "# How sure" in page
        assert NO_INTERVALS not in page


def test_runs_of_an_older_version_have_no_such_section(manifest):
    assert "How sure" not in handoff(manifest, "models/x/run_y")
    card = model_card(manifest)
    assert "How sure" not in card
    assert NO_INTERVALS in card


def test_every_row_has_a_cell_for_every_heading():
    assert {len(row) for row in rows(INTERVALS)} == {len(columns())}


@pytest.mark.parametrize("intervals", [INTERVALS, INTERVALS[1:], INTERVALS[2:], ()])
@pytest.mark.filterwarnings("error")
def test_the_picture_is_drawn_whatever_is_known(run, results, intervals):
    pytest.importorskip("matplotlib")
    from phase2.runs.report.calibration import draw_calibration

    draw_calibration(run.calibration, results.model_copy(update={"intervals": intervals}))
    assert run.calibration.read_bytes().startswith(PNG)
