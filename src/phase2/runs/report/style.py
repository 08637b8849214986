"""The style of a run's figures: font and colours, drawn without a display."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from phase2.properties import KEYS
from phase2.storage.disk.atomic import via_temporary

INK = "#222222"
FAINT = "#9a9a9a"
ACCENT = "#117733"
# Paul Tol's "muted" scheme: nine colours that colour-blind readers can distinguish; one per property in every figure.
_MUTED = ("#332288", "#cc6677", "#117733", "#88ccee", "#882255", "#ddaa33", "#44aa99", "#aa4499", "#777711")
# His "bright" scheme, for properties that a run defines.
_OWN = ("#4477aa", "#ee6677", "#228833", "#66ccee", "#aa3377")
_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that figures look alike everywhere
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#ececec",
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Use the house style for the duration of a block, and restore the caller's settings."""
    with mpl.rc_context(_STYLE):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Create a figure of a size in inches, without pyplot and so without a display or global state."""
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a PNG whose bytes depend on the figure alone."""
    via_temporary(path, lambda temporary: figure.savefig(temporary, dpi=150, metadata={"Software": None}))


def colour(key: str) -> str:
    """Return the colour of a property; one that a run defines has the same in all of its figures."""
    return _MUTED[KEYS.index(key)] if key in KEYS else _OWN[sum(key.encode()) % len(_OWN)]


def density_colours() -> ListedColormap:
    """Return the colour map of point densities: viridis without its yellow, which is lost on white."""
    return ListedColormap(mpl.colormaps["viridis_r"](np.linspace(0.2, 1, 256)))


def note_empty(axes: Axes, text: str) -> None:
    """Write on empty axes why there is nothing to draw."""
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=FAINT)
