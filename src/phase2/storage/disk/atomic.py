"""Atomic writes: a file appears whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from phase2.errors import TransientError

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file; sync it and rename it to ``path`` when the block ends without an error.

    A crash at any point leaves the old content or the new one, never a part of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically."""
    with atomic_file(path) as file:
        file.write(content)


def replace_verified(path: Path, content: bytes, *, previous: Path) -> str:
    """Replace a file and keep its old content as ``previous``, after the new content was read back and verified.

    A crash at any point leaves a whole file under ``path`` (where there was one) or under ``previous``.

    Args:
        path: The file.
        content: Its new content.
        previous: Path for its old content, in the same folder.

    Returns:
        Hex SHA-256 of the content.

    Raises:
        TransientError: The disk returned other bytes than were written; the old file is untouched.
        OSError: The file cannot be written; the old file is untouched.
    """
    digest = hashlib.sha256(content).hexdigest()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            _drop_cache(file.fileno())
        with temporary.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise TransientError(f"The disk returned other bytes of '{path}' than were written.", fix="Check the disk.")
        _keep_as(path, previous)
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return digest


def remove_temporary_files(folder: Path) -> None:
    """Remove the temporary files of killed writers and downloads; no process may be writing in the folder."""
    for pattern in (".*.tmp", ".*.tmp.*", "*.part"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


def via_temporary(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` create a file under a temporary name with the same suffix, then rename it.

    For libraries that take a path rather than an open file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Made here, and by nobody else: whoever may write to the folder could plant a link under a name known before.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=f".tmp{path.suffix}")
    os.close(descriptor)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _drop_cache(descriptor: int) -> None:
    """Drop the system's cached copy of a file, so that it is read back from the disk."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _keep_as(path: Path, previous: Path) -> None:
    """Link the file as ``previous``, replacing a file of that name."""
    if not path.exists():
        return
    second = previous.with_name(f".{previous.name}.{secrets.token_hex(4)}.tmp")
    try:
        os.link(path, second)
        second.replace(previous)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        path.replace(previous)
    finally:
        second.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries to the disk: without it a system crash may undo a rename."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
