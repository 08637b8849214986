"""Staying with a run whose first process closes it."""

from __future__ import annotations

import socket
import time

from phase2.errors import TransientError
from phase2.training.parallel.watch import keep_alive

_MINUTE = 60.0
_CONNECT_SECONDS = 10.0


def stay(address: str, port: int) -> None:
    """Wait until the first process has ended, and for a minute more.

    Where that process ended well, what started the processes ends this one within the minute. Where it did not, this
    one ends as well, so that both are started again.

    Args:
        address: Host at which the processes met the first one.
        port: Port of it.

    Raises:
        TransientError: Nobody has ended this process.
    """
    try:
        with socket.create_connection((address, port), timeout=_CONNECT_SECONDS) as first:
            keep_alive(first)
            while first.recv(1024):
                pass
    except OSError:
        pass  # it has ended already, or its machine has
    time.sleep(_MINUTE)
    raise TransientError(
        "The first process of this run has ended before the run was closed.",
        why="This one has trained its share, and stays until the run is closed.",
        fix="See what the first process said last, then start both again; the run continues.",
    )
