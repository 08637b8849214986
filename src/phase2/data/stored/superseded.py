"""Copies of data in a bucket that have changed there: removed from the cache once no process reads them."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from phase2.storage.disk.lock import hold_shared, is_locked, try_lock

_LOG = logging.getLogger(__name__)


def keep_for_process(folder: Path) -> None:
    """Keep a copy from being removed by other processes, for as long as this one runs."""
    hold_shared(_lock(folder))


def remove_superseded(folder: Path, pattern: str) -> None:
    """Remove the other copies of the same data, but for those that a process of any machine with locks reads.

    What cannot be removed is left to the next fetch. Nothing is removed on a file system without locks.

    Args:
        folder: The copy that is up to date.
        pattern: Pattern of the names of all copies.
    """
    for other in folder.parent.glob(pattern):
        if other == folder or not other.is_dir() or other.name.startswith(f"{folder.name}."):
            continue
        lock = _lock(other)
        try:
            lock.touch()
            if is_locked(lock) is None:
                continue
            with try_lock(lock) as is_free:
                if is_free:
                    shutil.rmtree(other)
                    _LOG.info("%s is removed: the objects in the bucket have changed.", other)
        except OSError as error:
            _LOG.debug("%s is left: %s", other, error)


def _lock(folder: Path) -> Path:
    """Return the lock of a copy, which its partial download has as well; it is never removed."""
    return folder.with_name(f".{folder.name.partition('.')[0]}.read")
