"""One line at the start of a training that says how long it is."""

from __future__ import annotations

from collections.abc import Callable

from phase2.runs.live.table import begin_line
from phase2.training.callbacks.base import Callback, TrainBegin


class BeginNote(Callback):
    """Note of the epochs and steps of a training, which the lines of single epochs do not all say.

    Args:
        notify: Callback receiving the line.
    """

    def __init__(self, notify: Callable[[str], None]) -> None:
        self._notify = notify

    def on_train_begin(self, event: TrainBegin) -> None:
        """Write the line."""
        self._notify(begin_line(event.epochs, event.steps, event.done))
