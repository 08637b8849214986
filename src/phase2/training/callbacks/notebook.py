"""Progress line of a notebook."""

from __future__ import annotations

import sys
import time
from typing import Any

from phase2.output.html_text import html_text
from phase2.training.callbacks.base import Callback, DataProgress, EpochEnd, StepEnd, TrainBegin, TrainEnd


class NotebookBar(Callback):
    """One output of a cell that is updated in place; the numbers of the best epoch stay."""

    INTERVAL = 0.2
    """Seconds between two updates: more would be more than a browser shows."""

    def __init__(self) -> None:
        self._display: Any = None
        self._shown = 0.0
        self._done = 0
        self._total: int | None = None
        self._note = ""
        self._best = ""

    def on_data_progress(self, event: DataProgress) -> None:
        """Count crystals."""
        self._done, self._total, self._note = event.done, event.total, "crystals"
        self._show()

    def on_train_begin(self, event: TrainBegin) -> None:
        """Show the bar."""
        self._done, self._total, self._note = event.done, event.steps, "steps"
        self._show(now=True)

    def on_step_end(self, event: StepEnd) -> None:
        """Move the bar."""
        self._done = event.step
        self._show()

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Show epoch, rate and score."""
        row = event.row
        if event.best:
            self._best = f"best epoch {row.epoch}: score {row.val_score:.3f}"
        rate = f"{row.structures_per_second:,.0f} structures/s"
        self._note = f"steps, epoch {row.epoch}/{event.epochs}, score {row.val_score:.3f}, {rate}"
        self._show(now=True)

    def on_train_end(self, event: TrainEnd) -> None:
        """Leave a line that says how it ended."""
        self._update(f"<p>training {event.outcome} after {event.step} steps; {html_text(self._best)}</p>")

    def _show(self, *, now: bool = False) -> None:
        if now or time.monotonic() - self._shown >= self.INTERVAL:
            of = "" if self._total is None else f' max="{self._total}"'
            count = f"{self._done}" if self._total is None else f"{self._done}/{self._total}"
            self._update(f'<progress value="{self._done}"{of}></progress> {count} {html_text(self._note)}')

    def _update(self, content: str) -> None:
        from IPython.display import HTML, display

        self._shown = time.monotonic()
        if self._display is None:
            self._display = display(HTML(content), display_id=True)
        else:
            self._display.update(HTML(content))


def in_notebook() -> bool:
    """Tell whether this process is the kernel of a notebook, without importing IPython."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config
