"""Long work in a thread of its own, so that the caller's thread can be interrupted without a signal handler.

Python raises ``KeyboardInterrupt`` between any two instructions, also half-way through an optimiser step. In its own
thread the work is never cut off: the caller's thread waits, receives the interrupt, and asks the work to stop where its
state is whole. Callbacks are called in the caller's thread, where notebooks and plotting libraries expect them.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from typing import Generic, TypeVar

from phase2.errors import PreemptedError
from phase2.training.callbacks.base import (
    AttemptBegin,
    Callback,
    DataProgress,
    EpochEnd,
    RunEnd,
    StepEnd,
    TrainBegin,
    TrainEnd,
)
from phase2.training.interruption import StopRequest

T = TypeVar("T")

# Seconds between two looks of a waiting thread, which so notices interrupts and exceptions that are sent to it.
_POLL = 0.2


class CallerThread(Generic[T]):
    """Thread that waits for work and calls back on its behalf.

    Args:
        stop: Receives the request to stop.
    """

    def __init__(self, stop: StopRequest) -> None:
        self._stop = stop
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._interruption: BaseException | None = None

    def run(self, work: Callable[[], T]) -> T:
        """Do work in another thread, and return or raise what it returns or raises.

        Raises:
            KeyboardInterrupt: The caller was interrupted, or whatever else was raised in its thread. After the first
                interrupt the work has stopped by itself, and a note of the exception says where; after a second one it
                is left to end alone.
        """
        outcome: Future[T] = Future()
        context = contextvars.copy_context()
        threading.Thread(
            target=context.run, args=(self._fulfil, outcome, work), name="phase2-training", daemon=True
        ).start()
        while True:
            try:
                call = self._calls.get(timeout=_POLL)
                if call is None:
                    return self._result(outcome)
                call()
            except queue.Empty:
                continue
            except BaseException as interruption:  # also what a signal handler of the caller's raises
                if outcome.done() or self._stop.reason:
                    raise
                self._interruption = interruption
                self._stop.request(type(interruption).__name__)

    def call(self, function: Callable[[], None]) -> None:
        """Call a function in the waiting thread, from the thread of the work, and raise what it raises."""
        done: Future[None] = Future()
        self._calls.put(partial(self._fulfil_call, done, function))
        while not wait([done], timeout=_POLL).done:
            if self._stop.reason:  # the waiting thread was interrupted, maybe within this call
                return
        done.result()

    def _fulfil(self, outcome: Future[T], work: Callable[[], T]) -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            outcome.set_exception(error)
        finally:
            self._calls.put(None)

    @staticmethod
    def _fulfil_call(done: Future[None], function: Callable[[], None]) -> None:
        try:
            function()
            done.set_result(None)
        except Exception as error:  # noqa: BLE001 - raised again in the thread of the work
            done.set_exception(error)

    def _result(self, outcome: Future[T]) -> T:
        if self._interruption is None:
            return outcome.result()
        error = outcome.exception()
        if error is not None and not isinstance(error, PreemptedError):
            raise error
        note = f"{error.what} {error.why}" if error else "The run was finished before it could be stopped."
        self._interruption.add_note(note)
        raise self._interruption


class RelayedCallback(Callback):
    """Callback whose methods run in the thread that waits for the training.

    Args:
        callback: What is called there.
        caller: The waiting thread.
        stop: Ends the building of graphs, which has no checkpoint, as soon as it reports progress.
    """

    def __init__(self, callback: Callback, caller: CallerThread[T], stop: StopRequest) -> None:
        self._callback = callback
        self._call = caller.call
        self._stop = stop

    def on_data_progress(self, event: DataProgress) -> None:
        """Relay, unless a stop was requested."""
        self._stop.check()
        self._call(lambda: self._callback.on_data_progress(event))

    def on_data_end(self) -> None:
        """Relay."""
        self._call(self._callback.on_data_end)

    def on_attempt_begin(self, event: AttemptBegin) -> None:
        """Relay."""
        self._call(lambda: self._callback.on_attempt_begin(event))

    def on_train_begin(self, event: TrainBegin) -> None:
        """Relay."""
        self._call(lambda: self._callback.on_train_begin(event))

    def on_step_end(self, event: StepEnd) -> None:
        """Relay."""
        self._call(lambda: self._callback.on_step_end(event))

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Relay."""
        self._call(lambda: self._callback.on_epoch_end(event))

    def on_train_end(self, event: TrainEnd) -> None:
        """Relay."""
        self._call(lambda: self._callback.on_train_end(event))

    def on_run_end(self, event: RunEnd) -> None:
        """Relay."""
        self._call(lambda: self._callback.on_run_end(event))
