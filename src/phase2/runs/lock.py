"""One process at a time in a run directory."""

from __future__ import annotations

import errno
import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
# Whoever asks is_locked() has a shared lock for an instant, so one refusal does not mean that the file is taken.
_ATTEMPTS = 10
_PAUSE = 0.02  # seconds


@contextmanager
def exclusive(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold the lock of a file for the length of a block.

    The system frees the lock when its holder ends, however it ends.

    Args:
        path: The lock file, made where missing and never removed.
        wait: Wait for the holder rather than give up.

    Yields:
        Whether the lock was got. On a file system without locks everybody gets it.
    """
    with path.open("a") as file:
        if wait and not _take(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield wait or _insist(file)


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock of a file; False for a file that does not exist."""
    try:
        with path.open("r") as file:
            return not _take(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False


def _insist(file: IO[str]) -> bool:
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE)
        if _take(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
            return True
    return False


def _take(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True
