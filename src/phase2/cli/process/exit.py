"""Exit of a command's process without interpreter teardown."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn


def run_and_exit(command: Callable[[], int]) -> NoReturn:
    """Run a command and exit the process with its exit code, without interpreter teardown.

    The teardown takes about a second of a core once torch is loaded, and the system reclaims the memory anyway. The
    process exits right before it: after its threads have ended, the exit handlers registered since this call have run,
    and the standard streams are flushed.

    Args:
        command: Callback that runs the command and returns the exit code.
    """
    code = 1

    def leave() -> None:
        for stream in (sys.stdout, sys.stderr):
            # The reader has gone, or the stream is closed.
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)

    atexit.register(leave)
    code = command()
    sys.exit(code)
