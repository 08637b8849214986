"""Picture of a learning-rate range test (``lr_range.png``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phase2.runs.report.style import ACCENT, FAINT, INK, house_style, new_figure, save
from phase2.tuning.learning_rate.range_test import RangePoint, Suggestion, smoothed_losses


def draw_range_test(path: Path, points: Sequence[RangePoint], suggestion: Suggestion) -> None:
    """Draw the loss by learning rate, and mark the suggested rate."""
    with house_style():
        figure = new_figure(6, 3.6)
        axes = figure.subplots()
        rates = [point.lr for point in points]
        axes.set_title(f"Learning-rate range test: {suggestion.lr:.2g}")
        axes.plot(rates, [point.loss for point in points], color=FAINT, linewidth=0.8, label="loss of a step")
        smoothed = smoothed_losses(points)
        axes.plot(rates, smoothed, color=INK, linewidth=1.5, label="smoothed")
        axes.axvline(suggestion.lr, color=ACCENT, linewidth=1.2, linestyle=":", label="suggested")
        axes.set_xscale("log")
        axes.set_xlabel("learning rate")
        axes.set_ylabel("training loss, normalised")
        axes.set_ylim(0.9 * smoothed.min(), 1.1 * smoothed.max())
        axes.legend(loc="upper left", fontsize=8)
        save(figure, path)
