"""Files of a learning-rate range test: its points as CSV, and a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from phase2.output.csv_text import write_csv
from phase2.storage.disk.atomic import write_text
from phase2.tuning.learning_rate.range_test import RangePoint, Suggestion, smoothed_losses

POINTS, FIGURE = "lr_range.csv", "lr_range.png"


def write_range_test(folder: Path, points: Sequence[RangePoint], suggestion: Suggestion) -> str:
    """Write ``lr_range.csv`` and, where matplotlib is installed, ``lr_range.png``; return what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / POINTS, _csv(points))
    if find_spec("matplotlib") is None:
        return f"written: {folder / POINTS}; no picture without matplotlib: pip install 'phase2[report]'"
    from phase2.tuning.learning_rate.figure import draw_range_test  # takes half a second, and is optional

    draw_range_test(folder / FIGURE, points, suggestion)
    return f"written: {folder / POINTS}, {folder / FIGURE}"


def _csv(points: Sequence[RangePoint]) -> str:
    text = io.StringIO()
    smoothed = smoothed_losses(points).tolist()
    rows = [(point.step, point.lr, point.loss, mean) for point, mean in zip(points, smoothed, strict=True)]
    write_csv(text, [("step", "lr", "loss", "smoothed_loss"), *rows])
    return text.getvalue()
