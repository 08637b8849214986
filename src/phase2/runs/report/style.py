"""How the pictures of a run look: one type, one set of colours, drawn without a display."""

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
# Paul Tol's "muted" scheme: nine colours that colour-blind readers tell apart; one per property in every picture.
_MUTED = ("#332288", "#cc6677", "#117733", "#88ccee", "#882255", "#ddaa33", "#44aa99", "#aa4499", "#777711")
_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so that pictures look alike everywhere
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
    """Draw in the house style for the length of a block; the caller's own settings come back."""
    with mpl.rc_context(_STYLE):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Make a figure of a size in inches; without pyplot, so that no display and no global state is touched."""
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a PNG whose bytes depend on the picture alone."""
    via_temporary(path, lambda temporary: figure.savefig(temporary, dpi=150, metadata={"Software": None}))


def colour(key: str) -> str:
    """The colour of a property."""
    return _MUTED[KEYS.index(key)]


def density_colours() -> ListedColormap:
    """Colours from few points to many: viridis without its yellow, which is lost on white."""
    return ListedColormap(mpl.colormaps["viridis_r"](np.linspace(0.2, 1, 256)))


def say_empty(axes: Axes, text: str) -> None:
    """Say why there is nothing to see."""
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=FAINT)
