"""Reading several streams of a cluster concurrently; each is reopened when it ends or breaks."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Generic, TypeVar

from phase2.cluster.api.errors import WatchExpiredError
from phase2.errors import TransientError

Item = TypeVar("Item")

_PATIENCE_SECONDS = 300.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0


class Streams(Generic[Item]):
    """Streams, each read in its own thread; :meth:`next` returns their items one by one.

    Args:
        on_trouble: Callback receiving why a stream broke that is being retried; :meth:`next` calls it.
        patience: Time for which a broken stream is retried, seconds.
    """

    def __init__(self, on_trouble: Callable[[str], None], *, patience: float = _PATIENCE_SECONDS) -> None:
        self._on_trouble = on_trouble
        self._patience = patience
        self._queue: queue.Queue[Callable[[], Item | None]] = queue.Queue()
        self._closed = threading.Event()

    @property
    def is_quiet(self) -> bool:
        """Whether :meth:`next` has returned all items received so far."""
        return self._queue.empty()

    def start(self, read: Callable[[], Iterator[Item]], *, again: Callable[[], bool]) -> None:
        """Start to read a stream.

        Args:
            read: Opens the stream; called again when it has ended or broken.
            again: Returns whether a stream that ended without an error is to be reopened.
        """
        threading.Thread(target=self._run, args=(read, again), daemon=True).start()

    def next(self, timeout: float) -> Item | None:
        """Return the next item of any stream; None if the timeout expires or a stream reported trouble.

        Raises:
            Exception: The error that ended a stream.
        """
        try:
            result = self._queue.get(timeout=timeout)
        except queue.Empty:
            return None
        return result()

    def close(self) -> None:
        """Reopen no stream; threads that wait for the server end with the process."""
        self._closed.set()

    def _run(self, read: Callable[[], Iterator[Item]], again: Callable[[], bool]) -> None:
        try:
            self._read_until_closed(read, again)
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: next raises it
            self._queue.put(partial(_throw, error))

    def _read_until_closed(self, read: Callable[[], Iterator[Item]], again: Callable[[], bool]) -> None:
        broken_since, pause = None, _FIRST_PAUSE
        while not self._closed.is_set():
            try:
                for item in read():
                    broken_since, pause = None, _FIRST_PAUSE
                    self._queue.put(partial(_same, item))
                    if self._closed.is_set():
                        return
                if not again():
                    return
            except WatchExpiredError:
                continue
            except TransientError as error:
                broken_since = broken_since or time.monotonic()
                if time.monotonic() - broken_since > self._patience:
                    raise
                self._queue.put(partial(self._on_trouble, error.why or error.what))
                pause = min(_LONGEST_PAUSE, 2 * pause)
            self._closed.wait(pause)


def _same(item: Item) -> Item:
    return item


def _throw(error: Exception) -> None:
    raise error
