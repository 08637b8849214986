"""A command as a process of its own: the part of its end that takes time and helps nobody is left out."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn


def end_with(command: Callable[[], int]) -> NoReturn:
    """Run a command and end the process with its exit code.

    Python takes itself apart at its end, object by object: about a second of a core once torch is loaded, and the
    system takes the memory back anyway. The process ends right before that: after its threads, after what others
    have registered for the end since this call, and after its last words.

    Args:
        command: Runs and returns the exit code.
    """
    code = 1

    def leave() -> None:
        for stream in (sys.stdout, sys.stderr):
            # A reader that went away, or a stream that was closed.
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)

    atexit.register(leave)
    code = command()
    sys.exit(code)
