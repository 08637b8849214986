"""Keys that are pressed while a screen is shown, read without waiting for the end of a line."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NAMES = {"\x1b[A": "up", "\x1b[B": "down", "\x1bOA": "up", "\x1bOB": "down", "k": "up", "j": "down", "\t": "down"}


@contextmanager
def pressed_keys() -> Iterator[Keyboard]:
    """Read single keys during a block; the terminal is as before after it, however the block ends."""
    try:
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
    except (ImportError, OSError, ValueError):  # no such terminals here, or standard input is none
        yield Keyboard(None)
        return
    try:
        tty.setcbreak(descriptor)
        yield Keyboard(descriptor)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


class Keyboard:
    """Keyboard of a terminal.

    Args:
        descriptor: File descriptor of the terminal; None has no keys.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def wait(self, seconds: float) -> str | None:
        """Return the key that is pressed within some seconds, ``up``, ``down`` or its character; None if none is."""
        ready = select.select([] if self._descriptor is None else [self._descriptor], [], [], seconds)[0]
        if not ready or self._descriptor is None:
            return None
        text = os.read(self._descriptor, 16).decode(errors="replace")
        if not text:  # the terminal was closed
            self._descriptor = None
            return "q"
        return _NAMES.get(text, text[0])
