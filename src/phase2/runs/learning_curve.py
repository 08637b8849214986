"""Loss, score and errors by epoch (``learning_curve.png``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, ScalarFormatter
from numpy.typing import NDArray

from phase2 import properties
from phase2.runs.drawing import ACCENT, FAINT, INK, colour, house_style, new_figure, save, say_empty
from phase2.runs.history import EpochRecord
from phase2.runs.results import Results

_SHORT = 12  # epochs up to which every one is marked


def draw_learning_curve(path: Path, history: Sequence[EpochRecord], results: Results) -> None:
    """Draw how loss, validation score and validation errors went, with the epoch of ``best.pt`` marked."""
    with house_style():
        figure = new_figure(9.2, 4.4)
        panels = figure.subplot_mosaic([["loss", "errors"], ["score", "errors"]], width_ratios=[1, 1.25])
        _draw_loss(panels["loss"], history)
        _draw_score(panels["score"], history, results)
        _draw_errors(panels["errors"], history, results)
        for name, axes in panels.items():
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            if name != "loss":
                axes.set_xlabel("epoch")
        save(figure, path)


def _draw_loss(axes: Axes, history: Sequence[EpochRecord]) -> None:
    axes.set_title("Training loss")
    _draw_line(axes, history, [row.train_loss for row in history], color=INK)


def _draw_score(axes: Axes, history: Sequence[EpochRecord], results: Results) -> None:
    axes.set_title("Validation score (mean MAE / median's)")
    if not _draw_line(axes, history, [row.val_score for row in history], color=INK):
        return
    _use_log_axis(axes)
    _mark_best(axes, results)
    if results.score is not None:
        axes.plot(results.best_epoch, results.score, "o", color=ACCENT, markersize=6, zorder=4)
        axes.annotate(
            f"{results.score:.3f} in epoch {results.best_epoch}",
            (results.best_epoch, results.score),
            xytext=(-6, 12) if 2 * results.best_epoch > results.epochs else (6, 12),
            textcoords="offset points",
            ha="right" if 2 * results.best_epoch > results.epochs else "left",
            color=ACCENT,
        )


def _draw_errors(axes: Axes, history: Sequence[EpochRecord], results: Results) -> None:
    axes.set_title("Validation MAE / MAE of the median")
    drawn = False
    for number, result in enumerate(results.val):
        if not result.baseline_mae:
            continue
        maes = [row.val_mae.get(result.key) for row in history]
        drawn |= _draw_line(
            axes,
            history,
            [None if mae is None else mae / result.baseline_mae for mae in maes],
            color=colour(result.key),
            linestyle="-" if number % 2 == 0 else "--",
            label=properties.get(result.key).title,
        )
    if not drawn:
        say_empty(axes, "no labels in this part")
        return
    _use_log_axis(axes)
    axes.axhline(1, color=FAINT, linewidth=1.2, zorder=1, label="median baseline")
    _mark_best(axes, results)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, fontsize=8)


def _draw_line(
    axes: Axes,
    history: Sequence[EpochRecord],
    values: Sequence[float | None],
    *,
    color: str,
    linestyle: str = "-",
    label: str | None = None,
) -> bool:
    """Draw values by epoch, with gaps where there is none; say so when there is none at all."""
    y: NDArray[np.float64] = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    if not np.isfinite(y).any():
        if label is None:
            say_empty(axes, "no values")
        return False
    marker = "o" if len(y) <= _SHORT else None
    axes.plot(
        [row.epoch for row in history],
        y,
        color=color,
        linestyle=linestyle,
        label=label,
        marker=marker,
        markersize=3.5,
        linewidth=1.5,
    )
    return True


def _use_log_axis(axes: Axes) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(ScalarFormatter())
    axes.yaxis.set_minor_formatter(NullFormatter())


def _mark_best(axes: Axes, results: Results) -> None:
    axes.axvline(results.best_epoch, color=ACCENT, linewidth=1, linestyle=":", zorder=1)
