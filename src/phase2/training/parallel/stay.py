"""Staying with a run whose first process closes it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from phase2.errors import TransientError
from phase2.training.parallel.watch import keep_alive

_MINUTE = 60.0
_POLL_SECONDS = 5.0
_CONNECT_SECONDS = 10.0


def stay(address: str, port: int, is_closed: Callable[[], bool]) -> None:
    """Wait until the first process has ended, and return if it has closed the run.

    If it has not, what started the processes may end this one within a minute. After that this one ends, so that both
    are started again.

    Args:
        address: Host at which the processes met the first one.
        port: Port of it.
        is_closed: Whether the run is finished in its store; False where it has none.

    Raises:
        TransientError: The run is not closed, and nobody has ended this process.
    """
    try:
        with socket.create_connection((address, port), timeout=_CONNECT_SECONDS) as first:
            keep_alive(first)
            while first.recv(1024):
                pass
    except OSError:
        pass  # it has ended already, or its machine has
    for _ in range(int(_MINUTE / _POLL_SECONDS)):
        if is_closed():
            return
        time.sleep(_POLL_SECONDS)
    raise TransientError(
        "The first process of this run has ended before the run was closed.",
        why="This one has trained its share, and stays until the run is closed.",
        fix="See what the first process said last, then start both again; the run continues.",
    )
