"""Looking at runs in a thread, so that a slow store or cluster keeps no key waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from phase2.cli.watch.sources import WatchSource
from phase2.errors import TransientError

if TYPE_CHECKING:
    from phase2.runs.live.view import RunView

PATIENCE_SECONDS = 300.0


class Looker:
    """Thread that looks at a source at its pace; a context manager.

    Args:
        source: The runs.

    Attributes:
        views: What was seen at the last look that succeeded; None before the first.
        looks: Looks that succeeded.
        trouble: Why the last look failed; "" if it did not.
    """

    def __init__(self, source: WatchSource) -> None:
        self._source = source
        self._ended, self._news = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._error: Exception | None = None
        self.views: Sequence[RunView] | None = None
        self.looks = 0
        self.trouble = ""

    def __enter__(self) -> Looker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._source.close()

    def check(self) -> None:
        """Raise the error that ended the thread, if one did."""
        if self._error is not None:
            raise self._error

    def wait(self, seconds: float) -> None:
        """Wait for the next look."""
        self._news.wait(seconds)
        self._news.clear()

    def _run(self) -> None:
        answered = time.monotonic()
        while not self._ended.is_set():
            try:
                self.views = self._source.look()
            except TransientError as error:
                self.trouble = error.why or error.what
                if time.monotonic() - answered > PATIENCE_SECONDS:
                    self._error = error
            except Exception as error:  # noqa: BLE001 - the boundary of the thread: check raises it
                self._error = error
            else:
                answered, self.trouble = time.monotonic(), ""
                self.looks += 1
            self._news.set()
            if self._error is not None:
                return
            self._ended.wait(self._source.interval)
