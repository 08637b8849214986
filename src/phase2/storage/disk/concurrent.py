"""Writing a file that other processes may write or delete at the same time."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from phase2.storage.disk.atomic import sync_folder
from phase2.storage.disk.checksums import CHUNK

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}

_ATTEMPTS = 50


@contextmanager
def temporary_sibling(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Create a temporary file in the folder of ``path``; remove it at the end unless it was renamed."""
    temporary = path.with_name(f".{path.name[:160]}.{secrets.token_hex(6)}.tmp")
    for attempt in range(_ATTEMPTS):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = temporary.open("xb", buffering=CHUNK)
            break
        except (FileNotFoundError, FileExistsError):
            # A concurrent delete removed the empty folder: before the file was made, or while mkdir found it there and
            # looked whether it is one.
            if attempt == _ATTEMPTS - 1:
                raise
    try:
        with file:
            yield file, temporary
    finally:
        temporary.unlink(missing_ok=True)


def rename_if_absent(temporary: Path, path: Path) -> bool:
    """Rename a file unless the name is taken; return whether it was. Of several concurrent calls one succeeds."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _rename_under_lock(temporary, path)
    return True


def _rename_under_lock(temporary: Path, path: Path) -> bool:
    """Do the same on a file system without hard links: under a lock of the folder, so only within one machine."""
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            return False
        temporary.replace(path)
        return True
    finally:
        os.close(descriptor)


def sync_folder_if_present(folder: Path) -> None:
    """Sync a folder, unless a concurrent delete has emptied and removed it."""
    with suppress(FileNotFoundError):
        sync_folder(folder)


def remove_empty_folders(folder: Path, root: Path) -> None:
    """Remove a folder and its parents below ``root`` as far as they are empty."""
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
