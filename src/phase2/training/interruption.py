"""Requests to stop: SIGTERM from an orchestrator, Ctrl-C from a person."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequest:
    """Notes a signal instead of dying of it, so that the work at hand can be finished and saved.

    Used as a context manager. The second Ctrl-C interrupts at once. Outside the main thread, where Python delivers no
    signals, nothing is ever noted.

    Attributes:
        reason: Name of the signal that was received, "" before.
    """

    def __init__(self) -> None:
        self.reason = ""
        # What a handler is: a function, SIG_DFL, SIG_IGN, or None for one that was not set from Python.
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.reason:
            raise KeyboardInterrupt
        self.reason = signal.Signals(number).name
