"""Pages of a run in experiment trackers, which can neither stop it nor slow it down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from phase2.config.settings import track_patience
from phase2.errors import PreemptedError
from phase2.runs.layout import RunDirectory
from phase2.tracking.messages import End, Message, Rows
from phase2.tracking.page import Outcome, run_page, run_result
from phase2.tracking.process import TrackerProcess
from phase2.training.callbacks.base import AttemptBegin, Callback, EpochEnd, RunEnd

PATIENCE_OF_STOP = 5.0
"""Longest time that a run waits for its trackers that is stopped, whose process may be killed soon, or that failed."""


@contextmanager
def tracked(names: Sequence[str], notify: Callable[[str], None]) -> Iterator[list[Callback]]:
    """Keep the page of a run in trackers during a block.

    Args:
        names: The trackers, checked before.
        notify: Callback receiving one line for the user: where each page is, and once where one is not complete.

    Yields:
        The callback of the training, if there is any tracker.
    """
    if not names:
        yield []
        return
    callback, patience = TrackingCallback(names, notify), track_patience()
    try:
        yield [callback]
    except PreemptedError:
        callback.end("stopped", min(patience, PATIENCE_OF_STOP))
        raise
    except BaseException:
        callback.end("failed", min(patience, PATIENCE_OF_STOP))
        raise
    callback.end("finished", patience)


class TrackingCallback(Callback):
    """Callback that passes events on to the processes of the trackers; use it through :func:`tracked`.

    Args:
        names: The trackers.
        notify: Callback receiving one line for the user.
    """

    def __init__(self, names: Sequence[str], notify: Callable[[str], None]) -> None:
        self._names = names
        self._notify = notify
        self._processes: list[TrackerProcess] = []
        self._shown: set[str] = set()
        self._warned: set[str] = set()
        self._run_id = ""

    def on_attempt_begin(self, event: AttemptBegin) -> None:
        """Start the processes, and describe the page."""
        if event.config is None:
            return
        run = RunDirectory(event.checkpoint.parent)
        folder = run.path.resolve().parent.parent
        page = run_page(run, event.config, fingerprint=event.data_fingerprint, rows=event.history, folder=folder)
        self._run_id = event.run_id
        try:
            self._processes = [TrackerProcess(name) for name in self._names]
        except OSError as error:  # no memory or no process left for another program
            self._notify(f"the run is not tracked: {error.strerror}")
        self._send(page)

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Pass the epoch on."""
        self._send(Rows((event.row,)))
        self._show_reports()

    def on_run_end(self, event: RunEnd) -> None:
        """Pass the errors and the files of the run on."""
        self._send(run_result(event.run, event.manifest, published=event.published))

    def end(self, outcome: Outcome, patience: float) -> None:
        """End the pages.

        Args:
            outcome: How the run ended.
            patience: Seconds after which trackers that are not done are killed.
        """
        self._send(End(outcome))
        deadline = time.monotonic() + patience
        for process in self._processes:
            last = process.wait(deadline)
            if not last.complete:
                self._warn(process.name, last.text)
            elif process.name in self._warned:
                self._notify(f"{process.name}: the page is complete after all")
        self._show_reports()
        self._processes = []

    def _send(self, message: Message) -> None:
        for process in self._processes:
            process.send(message)

    def _show_reports(self) -> None:
        for process in self._processes:
            report = process.report
            if report is not None and not report.complete:
                self._warn(process.name, report.text)
            elif report is not None and report.text and process.name not in self._shown:
                self._shown.add(process.name)
                self._notify(f"{process.name}: {report.text}")

    def _warn(self, name: str, why: str) -> None:
        """Warn about a tracker, once."""
        if name not in self._warned:
            self._warned.add(name)
            later = f"; when it is, 'phase2 runs export {self._run_id} --to {name}' completes the page"
            self._notify(f"warning: {name} is not reached, and the run continues without it: {why}{later}")
