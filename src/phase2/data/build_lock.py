"""One builder at a time, among the processes of a machine (and of a shared file system that has locks)."""

from __future__ import annotations

import errno
import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_LOG = logging.getLogger(__name__)
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}


@contextmanager
def build_lock(path: Path, purpose: str) -> Iterator[bool]:
    """Hold the lock of a file for the length of a block; wait while another process has it.

    The system frees the lock when its holder ends, however it ends.

    Args:
        path: The lock file, made where missing and never removed.
        purpose: What the holder does, for the message to whom waits.

    Yields:
        Whether the lock is held; False on a file system without locks.
    """
    with path.open("a") as file:
        if _try(file) is False:
            _LOG.warning("Another process is %s; waiting for it.", purpose)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield _try(file) is True


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock of a file; False as well where that cannot be known."""
    with path.open("a") as file:
        return _try(file) is True


def _try(file: IO[str]) -> bool | None:
    """Take the lock: True when got or had, False when another has it, None when there are no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True
