"""The picture of a data set: its elements, the sizes of its cells and its labels."""

from __future__ import annotations

import math
from pathlib import Path

from matplotlib.axes import Axes

from phase2.data.description import DataDescription, LabelDescription
from phase2.output.wording import counted
from phase2.properties import KEYS
from phase2.runs.report.style import ACCENT, INK, colour, house_style, new_figure, note_empty, save

_COLUMNS = 3
_PANEL = (3.4, 2.4)  # inches
_ELEMENTS = 30


def draw_description(path: Path, found: DataDescription) -> None:
    """Draw the most frequent elements, the sizes, and a histogram of each property that has labels.

    Raises:
        RequestError: The file cannot be written.
    """
    labels = [one for one in found.labels if one.count]
    rows = 1 + math.ceil(max(1, len(labels)) / _COLUMNS)
    with house_style():
        figure = new_figure(_COLUMNS * _PANEL[0], rows * _PANEL[1])
        grid = figure.add_gridspec(rows, _COLUMNS)
        _draw_elements(figure.add_subplot(grid[0, :2]), found)
        _draw_sizes(figure.add_subplot(grid[0, 2]), found)
        for k, one in enumerate(labels):
            _draw_labels(figure.add_subplot(grid[1 + k // _COLUMNS, k % _COLUMNS]), one)
        if not labels:
            note_empty(figure.add_subplot(grid[1, :]), "no labels")
        save(figure, path)


def _draw_elements(axes: Axes, found: DataDescription) -> None:
    frequent = sorted(found.elements.items(), key=lambda one: -one[1])[:_ELEMENTS]
    axes.bar([symbol for symbol, _ in frequent], [count for _, count in frequent], color=ACCENT)
    more = f", the {_ELEMENTS} most frequent of {len(found.elements)}" if len(found.elements) > _ELEMENTS else ""
    axes.set_title(f"Elements{more}")
    axes.set_ylabel("crystals")
    axes.tick_params(axis="x", labelsize=7)
    axes.grid(visible=False, axis="x")


def _draw_sizes(axes: Axes, found: DataDescription) -> None:
    sizes = list(found.size_counts)
    axes.hist(sizes, bins=min(30, max(sizes)), weights=list(found.size_counts.values()), color=INK)
    axes.set_title(counted(found.crystals, "crystal"))
    axes.set_xlabel("atoms in the cell")
    axes.set_ylabel("crystals")


def _draw_labels(axes: Axes, one: LabelDescription) -> None:
    assert one.low is not None  # noqa: S101 - there are labels
    assert one.high is not None  # noqa: S101
    width = (one.high - one.low) / len(one.histogram)
    edges = [one.low + k * width for k in range(len(one.histogram))]
    axes.bar(edges, one.histogram, width=width, align="edge", color=colour(one.key) if one.key in KEYS else ACCENT)
    axes.set_title(f"{one.key}: {one.count:,}")
    axes.set_xlabel(one.unit or "no unit")
    axes.set_ylabel("labels")
