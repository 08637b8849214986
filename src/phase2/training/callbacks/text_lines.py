"""Progress for people who read a log: a table with one line per epoch."""

from __future__ import annotations

import io
import sys
import time
from typing import IO

from phase2.runs.live.table import epoch_line, heading, step_line
from phase2.training.callbacks.base import EpochEnd, StepEnd, TrainBegin
from phase2.training.callbacks.progress import TrainingProgress


class TextLines(TrainingProgress):
    """One line of text per epoch, under a heading that is repeated; a line per minute within a longer epoch.

    Args:
        stream: Where to write; standard output by default.
    """

    INTERVAL = 60.0
    """Seconds without a line after which one is written within an epoch."""
    PAGE = 25
    """Epochs under a heading."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        super().__init__()
        self._stream = stream or sys.stdout
        self._lines = 0
        self._written = 0.0

    def on_train_begin(self, event: TrainBegin) -> None:
        """Start the clock."""
        super().on_train_begin(event)
        self._written, self._lines = time.monotonic(), 0

    def on_step_end(self, event: StepEnd) -> None:
        """Write where the training is, if nothing was written for a minute."""
        super().on_step_end(event)
        if time.monotonic() - self._written >= self.INTERVAL:
            self._write(step_line(event.step, event.steps, rate=self.rate(), left=self.eta()))

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Write the line of the epoch."""
        super().on_epoch_end(event)
        keys = list(event.row.val_errors)
        lines = heading(keys, event.row.own_units) if self._lines % self.PAGE == 0 else []
        self._lines += 1
        self._write(*lines, epoch_line(event.row, keys, epochs=event.epochs, best=event.best, left=self.eta()))

    def _write(self, *lines: str) -> None:
        """Write lines; nothing is written any more once the reader has gone, or the disk of the log is full."""
        self._written = time.monotonic()
        try:
            self._stream.write("".join(f"{line}\n" for line in lines))
            self._stream.flush()
        except OSError:
            self._stream = io.StringIO()
