"""Progress for programs: lines of JSON in a log."""

from __future__ import annotations

import io
import json
import sys
from typing import IO

from phase2.training.callbacks.base import Callback, EpochEnd


class JsonLines(Callback):
    """One line of JSON per epoch, for logs.

    Args:
        stream: Where to write; standard output by default.
    """

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Write the row; nothing is written any more once the reader has gone, or the disk of the log is full."""
        try:
            self._stream.write(json.dumps({**event.row.to_dict(), "best": event.best}) + "\n")
            self._stream.flush()
        except OSError:
            self._stream = io.StringIO()
