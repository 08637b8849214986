"""An action that is repeated in a thread beside the training."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def repeated(action: Callable[[], None], seconds: float, *, name: str) -> Iterator[None]:
    """Call a function every few seconds in a thread, during a block and once at its end.

    Args:
        action: The function; it must not raise.
        seconds: Pause between two calls.
        name: Name of the thread.
    """
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(seconds):
            action()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        action()
