"""Telling people and machines how far a training has come."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from phase2.config.settings import progress_file
from phase2.runs.history import EpochRow

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class EpochReporter(Protocol):
    """Is told about the steps and epochs of a training, in order."""

    def begin(self, *, epochs: int, steps: int, done: int) -> None:
        """Training starts, or continues after ``done`` of ``steps`` steps."""

    def step(self, done: int) -> None:
        """Another step is done."""

    def epoch(self, row: EpochRow, *, best: bool) -> None:
        """Another epoch is done; ``best`` when it is the best so far."""

    def end(self) -> None:
        """Training is over, for whatever reason."""


class Silent:
    """Reports nothing."""

    def begin(self, *, epochs: int, steps: int, done: int) -> None:
        """Say nothing."""

    def step(self, done: int) -> None:
        """Say nothing."""

    def epoch(self, row: EpochRow, *, best: bool) -> None:
        """Say nothing."""

    def end(self) -> None:
        """Say nothing."""


class Bar(Silent):
    """A bar on standard error with rate, score and time left."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._epochs = 0

    def begin(self, *, epochs: int, steps: int, done: int) -> None:
        """Draw the bar."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("steps"))
        tail = (TextColumn("{task.fields[note]}"), TimeRemainingColumn(compact=True))
        self._progress = Progress(*columns, *tail, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("training", total=steps, completed=done, note="")
        self._epochs = epochs
        self._progress.start()

    def step(self, done: int) -> None:
        """Move the bar."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=done)

    def epoch(self, row: EpochRow, *, best: bool) -> None:
        """Show rate and score."""
        if self._progress is not None and self._task is not None:
            score = f"score {row.val_score:.3f}{' (best)' if best else ''}"
            note = f"{row.structures_per_second:,.0f} structures/s, {score}"
            self._progress.update(self._task, description=f"epoch {row.epoch}/{self._epochs}", note=note)

    def end(self) -> None:
        """Remove the bar."""
        if self._progress is not None:
            self._progress.stop()


class JsonLines(Silent):
    """One line of JSON per epoch, for logs."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout

    def epoch(self, row: EpochRow, *, best: bool) -> None:
        """Write the row; nobody has to read on to the end."""
        try:
            self._stream.write(json.dumps({**asdict(row), "best": best}) + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._stream = io.StringIO()


class ProgressFile(Silent):
    """``done/total`` in a file, where an Argo executor looks every few seconds."""

    INTERVAL = 1.0

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = self._total = 0
        self._written = 0.0

    def begin(self, *, epochs: int, steps: int, done: int) -> None:  # noqa: ARG002 - the protocol's
        """Write where training starts."""
        self._done, self._total = done, steps
        self._write()

    def step(self, done: int) -> None:
        """Write at most once per second."""
        self._done = done
        if time.monotonic() - self._written >= self.INTERVAL:
            self._write()

    def end(self) -> None:
        """Write where training ended."""
        self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        # In place, for the folder is the executor's and may not be writable; and never at the cost of the training.
        with contextlib.suppress(OSError):
            self._path.write_text(f"{self._done}/{self._total}\n")


class CompositeReporter:
    """Tells all of several reporters."""

    def __init__(self, reporters: Sequence[EpochReporter]) -> None:
        self._reporters = tuple(reporters)

    def begin(self, *, epochs: int, steps: int, done: int) -> None:
        """Tell all."""
        for reporter in self._reporters:
            reporter.begin(epochs=epochs, steps=steps, done=done)

    def step(self, done: int) -> None:
        """Tell all."""
        for reporter in self._reporters:
            reporter.step(done)

    def epoch(self, row: EpochRow, *, best: bool) -> None:
        """Tell all."""
        for reporter in self._reporters:
            reporter.epoch(row, best=best)

    def end(self) -> None:
        """Tell all."""
        for reporter in self._reporters:
            reporter.end()


def default_reporter() -> EpochReporter:
    """Choose by where the output goes: a bar for a terminal, lines for a log, a file for Argo."""
    path = progress_file()
    reporters: list[EpochReporter] = [ProgressFile(path)] if path else []
    if sys.stderr.isatty():
        reporters.append(Bar())
    if not sys.stdout.isatty():
        reporters.append(JsonLines())
    return CompositeReporter(reporters)
