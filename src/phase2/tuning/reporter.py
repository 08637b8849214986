"""What a trial tells its study while it is trained, and what stops it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from phase2.training.callbacks.base import Callback, EpochEnd, StepEnd
from phase2.training.interruption import StopRequest
from phase2.tuning.definition import SCORE
from phase2.tuning.study import Study

_MOST_REPORTS = 100
"""Epochs that are reported of one trial, about: each is a request to the store."""


class TrialStop(StopRequest):
    """Request to stop the training of one trial; a request to stop the process stops it as well.

    Args:
        process: Request to stop the process.
    """

    def __init__(self, process: StopRequest) -> None:
        self._process = process
        super().__init__()

    @property
    def reason(self) -> str:
        """Who asked first; "" before."""
        return self._own or self._process.reason

    @reason.setter
    def reason(self, value: str) -> None:
        self._own = value

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Only record requests during this block, those to the process included."""
        with self._process.deferred():
            yield


class TrialReporter(Callback):
    """Callback that reports the epochs of a trial, and stops its run where it is hopeless or the time is over.

    Args:
        study: The study.
        number: Number of the trial.
        stop: Request to stop its run.
        deadline: End of the study's time, by ``time.monotonic()``; infinite without one.

    Attributes:
        is_pruned: Whether the run was asked to stop because it is hopeless.
        is_late: Whether it was asked to stop because the time is over.
    """

    def __init__(self, study: Study, number: int, stop: TrialStop, *, deadline: float = math.inf) -> None:
        self.is_pruned = False
        self.is_late = False
        self._study = study
        self._number = number
        self._stop = stop
        self._deadline = deadline

    def on_step_end(self, event: StepEnd) -> None:  # noqa: ARG002
        """Stop at the deadline."""
        if time.monotonic() > self._deadline:
            self.is_late = True
            self._stop.request("the end of --timeout-hours")

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Report the epoch, and stop the run if the pruner gives it up."""
        epoch, is_last = event.row.epoch, event.row.epoch == event.epochs
        if epoch % math.ceil(event.epochs / _MOST_REPORTS) and not is_last:
            return
        minimise = self._study.definition.minimise
        value = event.row.val_score if minimise == SCORE else event.row.val_errors.get(minimise)
        if value is None:
            return
        self._study.report(self._number, epoch, value)
        if not is_last and self._study.is_hopeless(self._number):
            self.is_pruned = self._stop.gives_up = True
            self._stop.request(f"the study '{self._study.definition.name}', which pruned it,")
