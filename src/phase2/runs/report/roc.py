"""The receiver operating characteristic of a binary property, as a panel of ``parity.png``."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from phase2.output.wording import counted
from phase2.properties import Property
from phase2.runs.records.results import PropertyMetrics
from phase2.runs.report.markdown import number
from phase2.runs.report.style import FAINT, colour, note_empty


def draw_roc(
    axes: Axes,
    prop: Property,
    result: PropertyMetrics,
    reference: NDArray[np.float64],
    predicted: NDArray[np.float64],
) -> None:
    """Draw true against false positives of the test crystals, for every threshold of the probability."""
    axes.set(title=prop.title, xlabel="false positive rate", ylabel="true positive rate")
    axes.set_box_aspect(1)
    if len(np.unique(reference)) < 2:
        note_empty(axes, "no labels of both kinds in this part")
        return
    from sklearn.metrics import roc_curve

    wrong, right, _ = roc_curve(reference, predicted)
    axes.axline((0, 0), (1, 1), color=FAINT, linewidth=1, zorder=1)
    axes.plot(wrong, right, color=colour(prop.key), linewidth=1.6, zorder=2)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    lines = [
        f"ROC AUC {number(result.roc_auc)}",
        f"log loss {number(result.log_loss)}",
        f"prior's {number(result.baseline_log_loss)}",
        counted(result.count, "crystal"),
    ]
    axes.text(0.96, 0.04, "\n".join(lines), transform=axes.transAxes, va="bottom", ha="right", fontsize=8.5, zorder=3)
