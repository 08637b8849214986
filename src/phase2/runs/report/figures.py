"""The figures of a run; they need matplotlib and are left out where it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from phase2.runs.layout import RunDirectory
from phase2.runs.records.history import EpochRow
from phase2.runs.records.predictions import PartPredictions
from phase2.runs.records.results import Results


def draw_figures(run: RunDirectory, test: PartPredictions, history: Sequence[EpochRow], results: Results) -> str | None:
    """Draw ``parity.png``, ``learning_curve.png`` and ``calibration.png``.

    Returns:
        None, or the reason why nothing was drawn.
    """
    if find_spec("matplotlib") is None:
        return "No figures: matplotlib is not installed. Install it with 'pip install phase2[report]'."
    try:
        # Imported here: it takes half a second, and is optional.
        from phase2.runs.report.calibration import draw_calibration
        from phase2.runs.report.learning_curve import draw_learning_curve
        from phase2.runs.report.parity import draw_parity

        draw_parity(run.parity, test, results)
        draw_learning_curve(run.learning_curve, history, results, test.properties)
        draw_calibration(run.calibration, results, test.properties)
    except Exception as error:  # noqa: BLE001 - a broken plotting library must not cost a trained run
        return f"No figures: matplotlib failed with {type(error).__name__}: {error}"
    return None
