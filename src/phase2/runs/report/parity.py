"""Predicted against reference values, one panel per property (``parity.png``)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from phase2.output.wording import counted
from phase2.properties import Property
from phase2.runs.records.predictions import PartPredictions
from phase2.runs.records.results import PropertyMetrics, Results
from phase2.runs.report.markdown import number
from phase2.runs.report.roc import draw_roc
from phase2.runs.report.style import FAINT, colour, density_colours, house_style, new_figure, note_empty, save

_PANEL = 3.1  # inches
_COLUMNS = {1: 1, 2: 2, 3: 3, 4: 2}  # of panels; three for more properties
_DENSE = 1000  # smallest number of points whose density is shown
_BINS = 100
_SMOOTHING = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def draw_parity(path: Path, part: PartPredictions, results: Results) -> None:
    """Draw predicted against reference values of the test crystals, with the errors beside those of the baselines.

    Axes of properties learned as log1p have that scale, too. A binary property has its receiver operating
    characteristic instead.
    """
    count = len(part.properties)
    columns = _COLUMNS.get(count, 3)
    rows = math.ceil(count / columns)
    boosting = {baseline.key: baseline.boosting_test_mae for baseline in results.baselines}
    with house_style():
        figure = new_figure(columns * _PANEL, rows * _PANEL)
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for k, (prop, result) in enumerate(zip(part.properties, results.test, strict=True)):
            if prop.task == "binary":
                draw_roc(grid[k], prop, result, *part.labelled(k))
            else:
                _draw_panel(grid[k], prop, result, *part.labelled(k), boosting=boosting.get(prop.key))
        for unused in grid[count:]:
            unused.set_axis_off()
        save(figure, path)


def _draw_panel(
    axes: Axes,
    prop: Property,
    result: PropertyMetrics,
    reference: NDArray[np.float64],
    predicted: NDArray[np.float64],
    *,
    boosting: float | None,
) -> None:
    unit = f" [{prop.unit}]" if prop.unit else ""
    axes.set_title(prop.title)
    axes.set_xlabel(f"reference{unit}")
    axes.set_ylabel(f"predicted{unit}")
    axes.set_box_aspect(1)
    if not len(reference):
        note_empty(axes, "no labels in this part")
        return
    _scale(axes, prop, np.concatenate([reference, predicted]))
    axes.axline((0, 0), (1, 1), color=FAINT, linewidth=1, zorder=1)
    _draw_points(axes, prop, reference, predicted)
    _write_numbers(axes, result, boosting)


def _draw_points(axes: Axes, prop: Property, reference: NDArray[np.float64], predicted: NDArray[np.float64]) -> None:
    size = float(np.clip(4000 / len(reference), 4, 26))
    if len(reference) < _DENSE:
        axes.scatter(reference, predicted, s=size, linewidths=0, zorder=2, color=colour(prop.key), alpha=0.65)
        return
    density = _density(_scaled(prop, reference), _scaled(prop, predicted))
    order = np.argsort(density, kind="stable")  # the densest on top
    x, y, c = reference[order], predicted[order], density[order]
    axes.scatter(x, y, s=size, linewidths=0, zorder=2, c=c, cmap=density_colours())


def _density(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimate log(1 + number of points) around each point."""
    cells, x_edges, y_edges = np.histogram2d(x, y, bins=_BINS)
    for axis in (0, 1):
        cells = np.apply_along_axis(np.convolve, axis, cells, _SMOOTHING, mode="same")
    i = np.clip(np.searchsorted(x_edges, x, side="right") - 1, 0, _BINS - 1)
    j = np.clip(np.searchsorted(y_edges, y, side="right") - 1, 0, _BINS - 1)
    logarithm: NDArray[np.float64] = np.log1p(cells[i, j])
    return logarithm


def _write_numbers(axes: Axes, result: PropertyMetrics, boosting: float | None) -> None:
    lines = [
        f"MAE {number(result.mae)} {result.unit}".rstrip(),
        *([] if boosting is None else [f"boosting's {number(boosting)}"]),
        f"median's {number(result.baseline_mae)}",
        *([] if result.r2 is None else [f"R² {result.r2:.2f}"]),
        counted(result.count, "crystal"),
    ]
    axes.text(
        0.04,
        0.97,
        "\n".join(lines),
        transform=axes.transAxes,
        va="top",
        fontsize=8.5,
        linespacing=1.4,
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5},
        zorder=3,
    )


def _scale(axes: Axes, prop: Property, values: NDArray[np.float64]) -> None:
    """Set equal limits on both axes, with a margin, on the scale that the property is learned on."""
    scaled = _scaled(prop, values)
    low, high = float(scaled.min()), float(scaled.max())
    margin = 0.05 * (high - low) or 0.5
    limits = np.array([low - margin, high + margin])
    if prop.transform == "log1p":
        limits = _undo(limits)
        for axis in ("x", "y"):
            getattr(axes, f"set_{axis}scale")("function", functions=(_log1p, _undo))
    ticks = _log_ticks(*limits.tolist()) if prop.transform == "log1p" else []
    ticks = ticks or [
        t for t in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(*limits) if limits[0] <= t <= limits[1]
    ]
    labels = [f"{tick:g}" for tick in ticks]
    axes.set(xlim=limits, ylim=limits, xticks=ticks, yticks=ticks, xticklabels=labels, yticklabels=labels)


def _log_ticks(low: float, high: float) -> list[float]:
    """Choose round, well separated ticks for a log1p axis; none where the axis is too short for them."""
    for digits in ((1, 2, 5), (1, 3), (1,)):
        sizes = [digit * 10.0**power for power in range(7) for digit in digits]
        ticks = [tick for tick in (*(-s for s in reversed(sizes)), 0.0, *sizes) if low <= tick <= high]
        if len(ticks) <= 6:
            break
    return ticks if len(ticks) >= 3 else []


def _scaled(prop: Property, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return _log1p(values) if prop.transform == "log1p" else values


def _log1p(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(x) * np.log1p(np.abs(x))


def _undo(y: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.sign(y) * np.expm1(np.abs(y))
