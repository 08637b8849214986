"""File locks: one process at a time, on one machine (and on a shared file system that supports locks).

The lock file is created where missing and never removed. The system releases the lock when its holder ends, however
it ends.
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

from phase2.storage.disk.links import refuse_links

_LOG = logging.getLogger(__name__)
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}
# is_locked() takes a shared lock for an instant, so one refusal does not mean that a process holds the file.
_ATTEMPTS = 10
_PAUSE = 0.02  # seconds


@contextmanager
def wait_for_lock(path: Path, *, purpose: str = "") -> Iterator[bool]:
    """Hold a lock for the duration of a block; wait while another process holds it.

    Args:
        path: The lock file.
        purpose: What the holder does, for a warning while waiting; no warning when empty.

    Yields:
        Whether the lock is held; False on a file system without locks, where there is no waiting.
    """
    with open(path, "a", opener=refuse_links) as file:
        locked = _try_once(file, fcntl.LOCK_EX)
        if locked is False:
            if purpose:
                _LOG.warning("Another process is %s; waiting for it.", purpose)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield locked is not None


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold a lock for the duration of a block, unless another process holds it.

    Args:
        path: The lock file.

    Yields:
        False when another process holds the lock; True otherwise, also on a file system without locks.
    """
    with open(path, "a", opener=refuse_links) as file:
        yield _try_repeatedly(file)


def hold_shared(path: Path) -> None:
    """Hold a lock together with others for as long as this process runs; wait while one process holds it alone.

    Nothing is held where the file cannot be written, or on a file system without locks.
    """
    if path in _HELD:
        return
    try:
        file = open(path, "a", opener=refuse_links)  # noqa: SIM115 - till the process ends
    except OSError:
        return
    if _try_once(file, fcntl.LOCK_SH) is False:
        fcntl.flock(file, fcntl.LOCK_SH)
    _HELD[path] = file


_HELD: dict[Path, IO[str]] = {}


def is_locked(path: Path) -> bool | None:
    """Return whether a process holds the lock of a file; None where that cannot be determined."""
    try:
        with path.open("r") as file:
            free = _try_once(file, fcntl.LOCK_SH)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    return None if free is None else not free


def _try_repeatedly(file: IO[str]) -> bool:
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE)
        if _try_once(file, fcntl.LOCK_EX) is not False:
            return True
    return False


def _try_once(file: IO[str], kind: int) -> bool | None:
    """Take the lock without waiting: True on success, False when it is held, None where locks are not supported."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        raise
    return True
