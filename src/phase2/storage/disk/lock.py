"""One process at a time, among those of a machine (and of a shared file system that has locks).

The lock is that of a file, which is made where missing and never removed. The system frees it when its holder ends,
however it ends.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_LOG = logging.getLogger(__name__)
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
# Whoever asks is_locked() has a shared lock for an instant, so one refusal does not mean that the file is taken.
_ATTEMPTS = 10
_PAUSE = 0.02  # seconds


@contextmanager
def wait_for_lock(path: Path, *, purpose: str = "") -> Iterator[bool]:
    """Hold a lock for the length of a block; wait while another process has it.

    Args:
        path: The lock file.
        purpose: What the holder does, for a warning to whom waits; no warning when empty.

    Yields:
        Whether the lock is held; False on a file system without locks, where nobody waits.
    """
    with path.open("a") as file:
        got = _take(file, fcntl.LOCK_EX)
        if got is False:
            if purpose:
                _LOG.warning("Another process is %s; waiting for it.", purpose)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield got is not None


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold a lock for the length of a block, unless another process has it.

    Args:
        path: The lock file.

    Yields:
        False when another process has the lock. On a file system without locks everybody gets it.
    """
    with path.open("a") as file:
        yield _insist(file)


def is_locked(path: Path) -> bool | None:
    """Whether some process holds the lock of a file; None where that cannot be known."""
    try:
        with path.open("r") as file:
            got = _take(file, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    return None if got is None else not got


def _insist(file: IO[str]) -> bool:
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE)
        if _take(file, fcntl.LOCK_EX) is not False:
            return True
    return False


def _take(file: IO[str], kind: int) -> bool | None:
    """Take the lock now: True when got, False when another has it, None when there are no locks."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True
