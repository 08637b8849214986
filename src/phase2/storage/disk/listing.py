"""Listing and describing files of a folder, as they are at this moment."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from phase2.storage.base import is_temporary
from phase2.storage.disk.errors import disk_errors


def walk_files(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder except temporary ones."""
    for here, _, names in os.walk(folder):
        yield from (Path(here, name) for name in names if not is_temporary(name))


def folder_names(folder: Path) -> Iterator[str]:
    """Yield the names of the folders directly below one, without following links."""
    with disk_errors(folder):
        if not folder.is_dir():
            return
        with os.scandir(folder) as entries:
            yield from (e.name for e in entries if e.is_dir(follow_symlinks=False) and not is_temporary(e.name))


def file_status(path: Path) -> os.stat_result | None:
    """Return the status of a regular file; None when there is none."""
    with disk_errors(path):
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
    return status if stat.S_ISREG(status.st_mode) else None


def modified_time(status: os.stat_result) -> datetime:
    """Return when a file was modified, in UTC."""
    return datetime.fromtimestamp(status.st_mtime, UTC)
