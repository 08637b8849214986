"""Detector of a training that no longer takes steps, in a thread beside it."""

from __future__ import annotations

import faulthandler
import threading
from collections.abc import Callable

from phase2.errors import TransientError
from phase2.training.callbacks.base import Callback, EpochEnd, StepEnd, TrainBegin, TrainEnd
from phase2.training.stall.pace import Pace
from phase2.training.stall.stack import describe_thread

_TICK = 1.0
_TICKS_PER_LIMIT = 10
_LAST_RESORT = 60.0

RESUME = "Retry it (here: the same command with --resume): it continues from its newest checkpoint."


class StallDetector(Callback):
    """Callback that ends a training which takes no step for much longer than its own pace explains.

    A thread beside the training counts the time since its last step, or since the validation began, and compares it
    with :class:`Pace`. Preparing the data and publishing are not watched. Time during which the whole process stood
    still, as in a suspended laptop, does not count.

    Native code that never releases the interpreter's lock stops that thread, too. With ``last_resort``, faulthandler,
    which needs no lock, then prints the stacks and ends the process with code 1, a minute after the limit. It counts
    the time of a suspended process, so it is meant for pods.

    Args:
        minutes: Time that any step may take.
        on_stall: Callback receiving the error, in the other thread, while the training hangs.
        again: How the training is continued, a sentence.
        last_resort: Whether faulthandler ends a process in which no other thread can run.
    """

    def __init__(
        self,
        minutes: float,
        on_stall: Callable[[TransientError], None],
        *,
        again: str = RESUME,
        last_resort: bool = False,
    ) -> None:
        self._pace = Pace(60 * minutes)
        self._on_stall = on_stall
        self._again = again
        self._last_resort = last_resort
        self._tick = min(_TICK, 60 * minutes / _TICKS_PER_LIMIT)
        self._minutes = minutes
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._count, name="stall-detector", daemon=True)
        self._trainer = 0
        self._waited = 0.0
        self._step = self._steps = 0
        self._n_batches = 1
        self._begun = self._validates = False

    def on_train_begin(self, event: TrainBegin) -> None:
        """Start to watch the calling thread."""
        self._trainer = threading.get_ident()
        self._step, self._steps = event.done, event.steps
        self._n_batches = max(1, event.steps // event.epochs)
        self._arm_last_resort()
        self._watch.start()

    def on_step_end(self, event: StepEnd) -> None:
        """Record how long the step took; the last one of an epoch is followed by the validation."""
        took = self._restart()
        if self._begun:  # the first step loads and compiles what the others use
            self._pace.add_step(took)
        self._begun, self._step = True, event.step
        self._validates = event.step % self._n_batches == 0

    def on_epoch_end(self, event: EpochEnd) -> None:  # noqa: ARG002 - the protocol's
        """Record how long the validation took."""
        self._pace.add_validation(self._restart())
        self._validates = False

    def on_train_end(self, event: TrainEnd) -> None:  # noqa: ARG002 - the protocol's
        """Stop watching."""
        self._ended.set()
        if self._watch.ident is not None:
            self._watch.join()
        if self._last_resort:
            faulthandler.cancel_dump_traceback_later()

    def _restart(self) -> float:
        """Return the time since the last event, seconds, to the precision of a tick; count anew."""
        waited, self._waited = self._waited, 0.0
        return waited

    def _limit(self) -> float:
        return self._pace.validation_limit(self._n_batches) if self._validates else self._pace.step_limit()

    def _arm_last_resort(self) -> None:
        if self._last_resort:
            faulthandler.dump_traceback_later(self._limit() + _LAST_RESORT, exit=True)

    def _count(self) -> None:
        ticks = 0
        while not self._ended.wait(self._tick):
            # Counted in ticks, not read from a clock: a process that was suspended has not stalled.
            self._waited += self._tick
            limit = self._limit()
            ticks += 1
            if ticks % _TICKS_PER_LIMIT == 0:
                self._arm_last_resort()
            if self._waited > limit:
                self._on_stall(self._error(self._waited))
                return

    def _error(self, waited: float) -> TransientError:
        after = f"after step {self._step} of {self._steps}"
        what = f"The validation {after} has not ended" if self._validates else f"No training step {after}"
        slowest = self._pace.slowest_step
        return TransientError(
            f"{what} for {_duration(waited)}; the training was {describe_thread(self._trainer)}.",
            why=f"The slowest recent step took {_duration(slowest)}, and --stall-minutes is {self._minutes:g}."
            if self._step
            else f"--stall-minutes is {self._minutes:g}.",
            fix=f"{self._again} Where steps may take so long, give more --stall-minutes, or 0 to wait for ever.",
        )


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{max(1, round(seconds))} s"
