"""Several streams of a cluster read at once, each taken up again whenever it ends or breaks."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Generic, TypeVar

from phase2.cluster.api.refusals import WatchExpiredError
from phase2.errors import TransientError

Item = TypeVar("Item")

_PATIENCE_SECONDS = 300.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0


class Streams(Generic[Item]):
    """Reads streams in threads of their own and hands out what they say one by one.

    Args:
        on_trouble: Is told, by :meth:`next`, why a stream broke that is being tried again.
        patience: Seconds for which a stream that does not come back is tried.
    """

    def __init__(self, on_trouble: Callable[[str], None], *, patience: float = _PATIENCE_SECONDS) -> None:
        self._on_trouble = on_trouble
        self._patience = patience
        self._queue: queue.Queue[Callable[[], Item | None]] = queue.Queue()
        self._closed = threading.Event()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was said that :meth:`next` has not handed out."""
        return self._queue.empty()

    def start(self, read: Callable[[], Iterator[Item]], *, again: Callable[[], bool]) -> None:
        """Begin to read a stream.

        Args:
            read: Opens it; called again when it has ended or broken.
            again: Tells whether a stream that ended by itself is to be taken up again.
        """
        threading.Thread(target=self._run, args=(read, again), daemon=True).start()

    def next(self, timeout: float) -> Item | None:
        """The next item of any stream; None when there is none in so many seconds, or only trouble.

        Raises:
            Exception: What ended a stream for good.
        """
        try:
            say = self._queue.get(timeout=timeout)
        except queue.Empty:
            return None
        return say()

    def close(self) -> None:
        """Take up no stream again; those that wait for the server end with the process."""
        self._closed.set()

    def _run(self, read: Callable[[], Iterator[Item]], again: Callable[[], bool]) -> None:
        try:
            self._read_on(read, again)
        except Exception as error:  # noqa: BLE001 - the boundary of the thread: whoever calls next is told
            self._queue.put(partial(_throw, error))

    def _read_on(self, read: Callable[[], Iterator[Item]], again: Callable[[], bool]) -> None:
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
