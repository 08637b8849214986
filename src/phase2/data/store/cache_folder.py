"""Errors of the cache folder's disk, reported as what the user can do about them."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phase2.errors import RequestError, TransientError

_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def cache_folder_errors(folder: Path) -> Iterator[None]:
    """Translate the OSErrors of a block that writes to the cache folder.

    Raises:
        RequestError: The folder cannot be written.
        TransientError: The disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_WRITABLE:
            raise RequestError(
                f"The cache folder '{folder}' cannot be written.",
                why=f"{error.strerror}.",
                fix="Set PHASE2_CACHE_DIR to a folder that can.",
            ) from error
        if error.errno in _FULL:
            raise TransientError(
                f"There is no room left in the cache folder '{folder}'.",
                why=f"{error.strerror}.",
                fix="Free some space, or set PHASE2_CACHE_DIR to a folder on a larger disk.",
            ) from error
        raise
