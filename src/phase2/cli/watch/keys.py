"""Keys that are pressed while a screen is shown, read without waiting for the end of a line."""

from __future__ import annotations

import os
import re
import select
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

# Escape sequences of keys, or one character: what is typed while the screen is drawn is read at once.
_KEY = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[@-~])|.", re.DOTALL)
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
        self._pressed: deque[str] = deque()

    def wait(self, seconds: float) -> str | None:
        """Return the next key within some seconds, ``up``, ``down`` or its first character; None without."""
        if not self._pressed:
            self._read(seconds)
        return self._pressed.popleft() if self._pressed else None

    def _read(self, seconds: float) -> None:
        ready = select.select([] if self._descriptor is None else [self._descriptor], [], [], seconds)[0]
        if not ready or self._descriptor is None:
            return
        text = os.read(self._descriptor, 1024).decode(errors="replace")
        if not text:  # the terminal was closed
            self._descriptor = None
            text = "q"
        self._pressed.extend(_NAMES.get(key, key[0]) for key in _KEY.findall(text))
