"""The process of one tracker, which executes the messages of a training until that ends or dies."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
from typing import IO

from phase2.output.secrets import without_secrets
from phase2.tracking.messages import Message, Report
from phase2.tracking.registry import make_tracker
from phase2.tracking.synchronization import PageSynchronizer

_LAST_SECONDS = 30.0
"""Time to end a page whose training has died."""


def serve(name: str) -> None:
    """Keep the page of a run in a tracker: the main function of the process.

    Args:
        name: Name of the tracker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the training decides what an interrupt means
    reports = os.fdopen(os.dup(1), "wb")
    # What a library prints is of no use to whoever trains, and would block a pipe that nobody reads.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, messages), daemon=True).start()
    ended = _keep_page(name, messages, reports)
    os._exit(0 if ended else 1)  # the tracker's own exit handlers may wait for its server for ever


def _read(stream: IO[bytes], messages: queue.SimpleQueue[Message | None]) -> None:
    """Pass messages on until the training closes the pipe or dies; then this process has not long to live."""
    try:
        while True:
            messages.put(pickle.load(stream))  # noqa: S301 - written by the parent
    except (EOFError, OSError, pickle.UnpicklingError):
        messages.put(None)
    threading.Event().wait(_LAST_SECONDS)
    os._exit(1)


def _keep_page(name: str, messages: queue.SimpleQueue[Message | None], reports: IO[bytes]) -> bool:
    """Return whether the page is complete and ended."""
    synchronizer: PageSynchronizer | None = None
    noted: list[Message | None] = []
    while True:
        noted += _next(messages)
        try:
            synchronizer = synchronizer or PageSynchronizer(make_tracker(name))
            _take(synchronizer, noted)
            synchronizer.send()
            report = Report(complete=True, text=synchronizer.address, ended=synchronizer.is_ending)
        except Exception as error:  # noqa: BLE001 - a process boundary: whatever a tracker raises is reported
            ending = synchronizer.is_ending if synchronizer else _is_end(noted)
            report = Report(complete=False, text=_describe(error), ended=ending)
        if not _send(reports, report) or report.ended:
            return report.complete


def _next(messages: queue.SimpleQueue[Message | None]) -> list[Message | None]:
    """Wait for a message and return it with those behind it, so that a slow tracker gets many epochs at once."""
    found = [messages.get()]
    while not messages.empty():
        found.append(messages.get())
    return found


def _take(synchronizer: PageSynchronizer, noted: list[Message | None]) -> None:
    while noted:
        message = noted.pop(0)
        if message is not None:
            synchronizer.note(message)
        elif not synchronizer.is_ending:
            synchronizer.abandon()


def _is_end(noted: list[Message | None]) -> bool:
    return None in noted


def _send(reports: IO[bytes], report: Report) -> bool:
    try:
        pickle.dump(report, reports, protocol=5)
        reports.flush()
    except OSError:
        return False
    return True


def _describe(error: Exception) -> str:
    """Return the first line of an error, without keys."""
    lines = str(error).strip().splitlines() or [""]
    return without_secrets(f"{type(error).__name__}: {lines[0]}")[:300]
