"""Newest state of a training, for readers in other threads."""

from __future__ import annotations

import time
from collections import deque

from phase2.runs.records.history import EpochRow
from phase2.training.callbacks.base import AttemptBegin, Callback, EpochEnd, StepEnd, TrainBegin, TrainEnd

_WINDOW = 20.0
_SAMPLE = 0.5


class TrainingProgress(Callback):
    """Callback that keeps the newest event of each kind.

    A step costs it a few assignments and neither a lock nor a word with the GPU. Other threads read its attributes at
    any time; events are immutable.

    Attributes:
        attempt: The attempt; None before it begins, while the data are prepared.
        begin: Start of the training; None before.
        step: The last step of this attempt; None before the first.
        epoch: The last epoch of this attempt; None before the end of the first.
        rows: Rows of all epochs of the run, those of earlier attempts included.
        crystals: Crystals of the steps of this attempt.
        last_step: Time of the last step, or of the start of the training, seconds since 1970.
        is_training: Whether steps are taken or validated now.
    """

    def __init__(self) -> None:
        self.attempt: AttemptBegin | None = None
        self.begin: TrainBegin | None = None
        self.step: StepEnd | None = None
        self.epoch: EpochEnd | None = None
        self.rows: list[EpochRow] = []
        self.crystals = 0
        self.last_step = 0.0
        self.is_training = False
        self._started = 0.0
        self._recent: deque[tuple[float, int]] = deque()  # time and crystals, within an epoch

    def on_attempt_begin(self, event: AttemptBegin) -> None:
        """Keep it, and the epochs of earlier attempts."""
        self.attempt, self.rows = event, list(event.history)

    def on_train_begin(self, event: TrainBegin) -> None:
        """Keep it, and start the clock."""
        self.begin, self.last_step, self._started = event, time.time(), time.monotonic()
        self.step = self.epoch = None
        self._recent.clear()
        self.is_training = True

    def on_step_end(self, event: StepEnd) -> None:
        """Keep it, and count its crystals."""
        self.step, self.last_step = event, time.time()
        self.crystals += event.crystals
        now = time.monotonic()
        if not self._recent or now - self._recent[-1][0] >= _SAMPLE:
            self._recent.append((now, self.crystals))
            while now - self._recent[0][0] > _WINDOW:
                self._recent.popleft()

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Keep it."""
        self.epoch = event
        self.rows.append(event.row)
        self._recent.clear()  # the time of the validation is not that of steps

    def on_train_end(self, event: TrainEnd) -> None:  # noqa: ARG002 - the protocol's
        """Note that no step follows."""
        self.is_training = False

    def pace(self) -> float | None:
        """Return the mean seconds per step of this attempt, validation included; None before its first step."""
        begin, step = self.begin, self.step
        if begin is None or step is None:
            return None
        return (time.monotonic() - self._started) / (step.step - begin.done)

    def eta(self) -> float | None:
        """Estimate the seconds until the last step, by the mean pace of this attempt.

        Returns:
            Seconds; None before the first step. Early stopping may end the training sooner.
        """
        pace, step = self.pace(), self.step
        return None if pace is None or step is None else pace * (step.steps - step.step)

    def rate(self) -> float | None:
        """Return the crystals per second of the last seconds, or of the last epoch; None before either is known."""
        recent = tuple(self._recent)
        if len(recent) > 1 and recent[-1][0] - recent[0][0] >= 2 * _SAMPLE:
            return (recent[-1][1] - recent[0][1]) / (recent[-1][0] - recent[0][0])
        return self.rows[-1].structures_per_second if self.epoch is not None else None
