"""Requests to stop: from a Python program, or by SIGTERM from an orchestrator and Ctrl-C from a user."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from phase2.errors import PreemptedError, TransientError

SIGNALS = (signal.SIGTERM, signal.SIGINT)
AT_ONCE = 128 + signal.SIGINT
"""Exit code after the second Ctrl-C."""


class StopRequest:
    """Request to end a training at its next step, made by any thread; it installs no signal handler.

    Attributes:
        reason: Who asked first, such as the name of a signal; "" before.
        gives_up: Whether the training was stopped because it is not worth continuing, as by the pruner of a study.
    """

    def __init__(self) -> None:
        self.reason = ""
        self.gives_up = False
        self._is_deferred = False

    def request(self, reason: str) -> None:
        """Ask the training to stop; only the first request counts."""
        self.reason = self.reason or reason

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Only record a request during this block, which reads ``reason`` where it can stop."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False

    @contextmanager
    def deferred_until_done(self) -> Iterator[None]:
        """Complete this block first: a request counts only if the block fails with an error that a retry may cure.

        Raises:
            PreemptedError: The block failed so, and a stop was requested; it is not retried.
        """
        try:
            with self.deferred():
                yield
        except TransientError:
            self.check()
            raise

    def check(self) -> None:
        """End the calling thread's work if a stop was requested.

        Raises:
            PreemptedError: It was.
        """
        if self.reason:
            raise PreemptedError(
                f"Stopped by {self.reason}.",
                why="What was saved until then is intact.",
                fix="Run the same command with --resume; without a checkpoint, run it again.",
            )


class SignalStopRequest(StopRequest):
    """Handler of SIGTERM and Ctrl-C that interrupts a block, or, inside :meth:`deferred`, only records the signal.

    For the command line, which owns its process. Used as a context manager. Only the first signal counts: orchestrators
    send SIGTERM more than once, and its repetition must not disturb the checkpoint that is being saved. A second
    Ctrl-C ends the process at once, as SIGKILL would. Outside the main thread, where Python delivers no signals, no
    handler is installed.
    """

    def __init__(self) -> None:
        super().__init__()
        # A handler is a function, SIG_DFL, SIG_IGN, or None for one that was not set from Python.
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> SignalStopRequest:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._receive) for number in SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if not self.reason:
            self.request(signal.Signals(number).name)
            if not self._is_deferred:
                self.check()
        elif number == signal.SIGINT:
            os.write(2, b"\ninterrupted again: ending at once\n")
            os._exit(AT_ONCE)
