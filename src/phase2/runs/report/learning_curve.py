"""Loss, score and errors by epoch (``learning_curve.png``)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from phase2.properties import Property
from phase2.runs.records.history import EpochRow
from phase2.runs.records.results import PropertyMetrics, Results
from phase2.runs.report.style import ACCENT, FAINT, INK, colour, house_style, new_figure, note_empty, save

_SHORT = 12  # largest number of epochs with a marker each
# Leading digits of the ticks, by the largest ratio of the values on a logarithmic axis.
_TICKS = ((30, (1, 1.5, 2, 3, 5, 7)), (1e3, (1, 3)), (math.inf, (1,)))


def draw_learning_curve(
    path: Path, history: Sequence[EpochRow], results: Results, properties: Sequence[Property]
) -> None:
    """Draw training loss, validation score and validation errors by epoch, and mark the epoch of ``best.pt``."""
    with house_style():
        figure = new_figure(10, 4.2)
        panels: dict[str, Axes] = figure.subplot_mosaic(
            [["loss", "errors"], ["score", "errors"]], width_ratios=[1, 1.3]
        )
        _draw_loss(panels["loss"], history)
        _draw_score(panels["score"], history, results)
        _draw_errors(panels["errors"], history, results, {prop.key: prop.title for prop in properties})
        panels["loss"].set_xlabel("")
        save(figure, path)


def _draw_loss(axes: Axes, history: Sequence[EpochRow]) -> None:
    axes.set_title("Training loss")
    losses = _numbers(row.train_loss for row in history)
    if _prepare(axes, history, [losses], "no values"):
        _draw_line(axes, losses, color=INK)


def _draw_score(axes: Axes, history: Sequence[EpochRow], results: Results) -> None:
    best = "" if results.score is None else f": {results.score:.3g} in epoch {results.best_epoch}"
    axes.set_title(f"Validation score{best}")
    scores = _numbers(row.val_score for row in history)
    if _prepare(axes, history, [scores], "no values"):
        _draw_line(axes, scores, color=INK)
        _use_log_axis(axes, [scores])
        _mark_best(axes, results)
        if results.score is not None:
            axes.plot(results.best_epoch, results.score, "o", color=ACCENT, markersize=6, zorder=4)


def _draw_errors(axes: Axes, history: Sequence[EpochRow], results: Results, titles: Mapping[str, str]) -> None:
    binary = any(result.is_binary for result in results.val)
    axes.set_title("Validation error / error of the baseline" if binary else "Validation MAE / MAE of the median")
    lines = {result.key: _ratios(history, result) for result in results.val if result.baseline_error}
    if not _prepare(axes, history, list(lines.values()), "no labels in this part"):
        return
    for number, (key, ratios) in enumerate(lines.items()):
        style = "-" if number % 2 == 0 else "--"
        _draw_line(axes, ratios, color=colour(key), linestyle=style, label=titles[key])
    boosting = _boosting_ratios(results)
    _mark_boosting(axes, boosting, len(history))
    axes.axhline(1, color=FAINT, linewidth=1.2, zorder=1, label="baseline" if binary else "median baseline")
    _use_log_axis(axes, [*lines.values(), *map(np.atleast_1d, boosting.values())])
    _mark_best(axes, results)
    axes.legend(loc="upper left", bbox_to_anchor=(1.02, 1), borderaxespad=0, fontsize=8, labelspacing=0.8)


def _boosting_ratios(results: Results) -> dict[str, float]:
    """Return the validation MAE of gradient boosting / MAE of the median, by property."""
    errors = {baseline.key: baseline.boosting_val_mae for baseline in results.baselines}
    pairs = {result.key: (errors.get(result.key), result.baseline_mae) for result in results.val}
    return {key: error / median for key, (error, median) in pairs.items() if error is not None and median}


def _mark_boosting(axes: Axes, ratios: Mapping[str, float], epochs: int) -> None:
    """Mark the errors of gradient boosting at the last epoch, in the colours of the properties."""
    for key, ratio in ratios.items():
        label = "gradient boosting" if key == next(iter(ratios)) else None
        axes.plot(epochs, ratio, "D", color=colour(key), markerfacecolor="white", label=label, zorder=4)


def _prepare(axes: Axes, history: Sequence[EpochRow], lines: Sequence[NDArray[np.float64]], empty: str) -> bool:
    """Set up the axis of epochs; return False, with a note on the axes, where there is nothing to draw."""
    if not any(np.isfinite(line).any() for line in lines):
        note_empty(axes, empty)
        return False
    axes.set_xlabel("epoch")
    margin = max(0.5, 0.04 * len(history))
    axes.set_xlim(1 - margin, len(history) + margin)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    return True


def _draw_line(
    axes: Axes, values: NDArray[np.float64], *, color: str, linestyle: str = "-", label: str | None = None
) -> None:
    marker = "o" if len(values) <= _SHORT else None
    epochs = np.arange(1, len(values) + 1)
    axes.plot(
        epochs, values, color=color, linestyle=linestyle, label=label, marker=marker, markersize=3.5, linewidth=1.5
    )


def _ratios(history: Sequence[EpochRow], result: PropertyMetrics) -> NDArray[np.float64]:
    assert result.baseline_error  # noqa: S101
    return _numbers(row.val_errors.get(result.key) for row in history) / result.baseline_error


def _numbers(values: Iterable[float | None]) -> NDArray[np.float64]:
    """Return values as an array, NaN where there is none."""
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _use_log_axis(axes: Axes, lines: Sequence[NDArray[np.float64]]) -> None:
    if any((line <= 0).any() for line in lines):  # a logarithmic axis has no zero
        return
    axes.set_yscale("log")
    low, high = (limit(np.concatenate(lines)) for limit in (np.nanmin, np.nanmax))
    if high < 1.5 * low:
        axes.set_ylim(low / 1.3, high * 1.3)
    digits = next(digits for most, digits in _TICKS if high < most * low)
    axes.yaxis.set_major_locator(LogLocator(subs=digits))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda tick, _: f"{tick:g}"))


def _mark_best(axes: Axes, results: Results) -> None:
    axes.axvline(results.best_epoch, color=ACCENT, linewidth=1, linestyle=":", zorder=1)
