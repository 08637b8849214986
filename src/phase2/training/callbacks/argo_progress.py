"""Progress of a training as Argo shows it: seconds."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from phase2.training.callbacks.base import StepEnd, TrainEnd
from phase2.training.callbacks.progress import TrainingProgress


class ArgoProgress(TrainingProgress):
    """``done/total`` in a file that an Argo executor reads every few seconds, both in seconds of training.

    What is left of the total is the time left, and the sum over the steps of a Workflow, which its controller shows, is
    one of equal units. Steps of earlier attempts count with the mean pace of this one.

    Args:
        path: The file.
    """

    INTERVAL = 1.0
    """Seconds between two writes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._written = 0.0

    def on_step_end(self, event: StepEnd) -> None:
        """Write at most once per second."""
        super().on_step_end(event)
        if time.monotonic() - self._written >= self.INTERVAL:
            self._write(event)

    def on_train_end(self, event: TrainEnd) -> None:
        """Write where the training ended."""
        super().on_train_end(event)
        if self.step is not None:
            self._write(self.step)

    def _write(self, step: StepEnd) -> None:
        self._written = time.monotonic()
        pace = self.pace() or 0.0
        total = max(1, round(pace * step.steps))
        # In place, for the folder is the executor's and may not be writable; a failure does not end the training.
        with contextlib.suppress(OSError):
            self._path.write_text(f"{total * step.step // step.steps}/{total}\n")
