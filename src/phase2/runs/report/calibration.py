"""How well intervals hold on the test part (``calibration.png``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from phase2.properties import PROPERTIES, Property
from phase2.runs.records.intervals import PropertyIntervals
from phase2.runs.records.results import Results
from phase2.runs.report.style import FAINT, colour, house_style, new_figure, note_empty, save

_SIZE = (7.4, 4.4)  # inches
_FEW = 30  # labels below which a line is thin


def draw_calibration(path: Path, results: Results, properties: Sequence[Property] = PROPERTIES) -> None:
    """Draw the share of labels that intervals hold against the nominal one, and the error by tenth of width."""
    titles = {prop.key: prop.title for prop in properties}
    with house_style():
        figure = new_figure(*_SIZE)
        held, errors = figure.subplots(1, 2)
        _draw_coverage(held, [one for one in results.intervals if one.levels], titles)
        _draw_errors(errors, [one for one in results.intervals if one.error_by_tenth])
        handles, labels = held.get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside lower center", ncols=3)
        save(figure, path)


def _draw_coverage(axes: Axes, intervals: Sequence[PropertyIntervals], titles: Mapping[str, str]) -> None:
    axes.set(title="Share of test labels inside", xlabel="nominal", ylabel="reached")
    axes.set_box_aspect(1)
    if not intervals:
        note_empty(axes, "no interval, or no test label")
        return
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axline((0, 0), (1, 1), color=FAINT, linewidth=1, zorder=1)
    for one in intervals:
        axes.plot(
            [level.level for level in one.levels],
            [level.coverage for level in one.levels],
            color=colour(one.key),
            linewidth=_width(one),
            label=f"{titles[one.key]} ({one.test_labels:,})",
        )


def _draw_errors(axes: Axes, intervals: Sequence[PropertyIntervals]) -> None:
    axes.set(title="Error by width of the interval", xlabel="tenth of the crystals", ylabel="error / mean error")
    axes.set_box_aspect(1)
    drawn = [one for one in intervals if min(one.error_by_tenth) > 0]
    if not drawn:
        note_empty(axes, "too few test labels")
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(2))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xticks((1, 5, 10), ("narrowest", "5", "widest"))
    axes.axhline(1, color=FAINT, linewidth=1, zorder=1)
    for one in drawn:
        relative = np.array(one.error_by_tenth) / np.mean(one.error_by_tenth)
        axes.plot(range(1, len(relative) + 1), relative, color=colour(one.key), linewidth=_width(one))


def _width(intervals: PropertyIntervals) -> float:
    return 0.8 if intervals.test_labels < _FEW else 1.6
