"""Progress for programs: lines of JSON in a log, and a file for Argo."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO

from phase2.training.callbacks.base import Callback, EpochEnd, StepEnd, TrainBegin, TrainEnd


class JsonLines(Callback):
    """One line of JSON per epoch, for logs.

    Args:
        stream: Where to write; standard output by default.
    """

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Write the row; nothing is written any more once the reader has closed the stream."""
        try:
            self._stream.write(json.dumps({**asdict(event.row), "best": event.best}) + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._stream = io.StringIO()


class ProgressFile(Callback):
    """``done/total`` in a file that an Argo executor reads every few seconds.

    Args:
        path: The file.
    """

    INTERVAL = 1.0
    """Seconds between two writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = self._total = 0
        self._written = 0.0

    def on_train_begin(self, event: TrainBegin) -> None:
        """Write where the training starts."""
        self._done, self._total = event.done, event.steps
        self._write()

    def on_step_end(self, event: StepEnd) -> None:
        """Write at most once per second."""
        self._done = event.step
        if time.monotonic() - self._written >= self.INTERVAL:
            self._write()

    def on_train_end(self, event: TrainEnd) -> None:  # noqa: ARG002 - the protocol's
        """Write where the training ended."""
        self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        # In place, for the folder is the executor's and may not be writable; a failure does not end the training.
        with contextlib.suppress(OSError):
            self._path.write_text(f"{self._done}/{self._total}\n")
