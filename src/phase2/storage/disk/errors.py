"""Errors of the operating system about a file or folder, as errors of phase2."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phase2.errors import Phase2Error, RequestError, TransientError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
TOO_MANY_OPEN = {errno.EMFILE, errno.ENFILE}
_SHAPE = {errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY, errno.EINVAL}


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Convert an ``OSError`` of a block that works on ``path`` into an error of phase2.

    Raises:
        RequestError: The file is missing, forbidden, read-only, or of the wrong kind.
        TransientError: The disk is full or does not respond.
    """
    try:
        yield
    except Phase2Error:
        raise
    except OSError as error:
        raise explain_os_error(error, path) from error


def explain_os_error(error: OSError, path: Path) -> Phase2Error:
    """Return the error of phase2 that explains a system error about ``path``."""
    reason = f"{error.strerror or error}."
    if error.errno in _FULL:
        return TransientError(f"No space is left for '{path}'.", why=reason, fix="Free some space or raise the quota.")
    if error.errno in _FORBIDDEN:
        return RequestError(f"'{path}' cannot be written or read.", why=reason, fix="Check its permissions and mount.")
    if error.errno in TOO_MANY_OPEN:
        return too_many_open(reason)
    if error.errno == errno.ENOENT:
        return RequestError(f"'{path}' does not exist.", why=reason, fix="Check the path.")
    if error.errno in _SHAPE:
        return RequestError(
            f"'{path}' is not usable here.", why=reason, fix="A file is where a folder is needed, or the reverse."
        )
    return TransientError(f"'{path}' cannot be written or read now.", why=reason, fix="Check the disk and try again.")


def too_many_open(reason: str) -> Phase2Error:
    """Return the error of a process that may open no further file now."""
    return TransientError(
        "No further file can be opened.", why=reason, fix="Raise the limit of open files: ulimit -n 4096."
    )
