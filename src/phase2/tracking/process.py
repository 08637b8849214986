"""A tracker in a process of its own, which the training neither waits for nor shares anything with."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO, cast

from phase2.tracking.messages import End, Message, Report


class TrackerProcess:
    """Process of one tracker of one run.

    Nothing here blocks but :meth:`wait`: messages are written, and reports read, by threads of their own.

    Args:
        name: Name of the tracker.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._report: Report | None = None
        self._ended = threading.Event()
        code = f"import sys; sys.path[:] = {sys.path!r}; from phase2.tracking.child import serve; serve({name!r})"
        # In a group of its own: Ctrl-C does not reach it, and what it starts ends with it.
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, our code
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        for target, stream in ((self._write, self._process.stdin), (self._read, self._process.stdout)):
            threading.Thread(target=target, args=(cast("IO[bytes]", stream),), daemon=True, name=name).start()

    @property
    def report(self) -> Report | None:
        """The newest report of the tracker; None before the first."""
        return self._report

    def send(self, message: Message) -> None:
        """Hand over a message, without waiting for anything."""
        self._messages.put(message)
        if isinstance(message, End):
            self._messages.put(None)

    def wait(self, deadline: float) -> Report:
        """Wait until the page is ended, and kill the process where it is not by then.

        Args:
            deadline: End of the patience, by ``time.monotonic()``.

        Returns:
            The last report.
        """
        is_in_time = self._ended.wait(max(0.0, deadline - time.monotonic()))
        self._kill()  # with whatever it has started
        self._process.wait()
        last = self._report
        if last is not None and last.ended:
            return last
        why = "its process died" if is_in_time else "it does not answer in time"
        said = "" if last is None or last.complete else f" ({last.text})"
        return Report(complete=False, text=f"{why}{said}", ended=True)

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _write(self, stream: IO[bytes]) -> None:
        with suppress(OSError), stream:  # the process has ended; its last report says why
            while (message := self._messages.get()) is not None:
                pickle.dump(message, stream, protocol=5)
                stream.flush()

    def _read(self, stream: IO[bytes]) -> None:
        with suppress(EOFError, OSError, pickle.UnpicklingError), stream:
            while True:
                self._report = pickle.load(stream)  # noqa: S301 - written by our process
        self._ended.set()
