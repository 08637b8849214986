"""Bringing an object into a file: resumed, verified, and there only when it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import IO

from phase2.errors import TransientError
from phase2.storage.atomic import sync_folder
from phase2.storage.base import ObjectInfo
from phase2.storage.content import CHUNK, fetch_right
from phase2.storage.disk import disk_errors

Fetch = Callable[[int], Iterator[bytes]]
"""Content of an object from a byte on, in pieces."""


def land(info: ObjectInfo, target: Path, fetch: Fetch, *, sha256: str | None) -> str:
    """Write an object to ``<target>.part``, continuing what is there, verify it, and rename it.

    Args:
        info: The object as the store has it now.
        target: The file to make or replace.
        fetch: Gives the object's content from a byte on.
        sha256: Hex digest to verify; None when nobody knows it, and then nothing is continued.

    Returns:
        The hex SHA-256 of the content.

    Raises:
        ObjectDamagedError: The digest is wrong, also after fetching everything anew.
        TransientError: Another process is bringing the same file, or it does not arrive as it was sent.
    """
    part = target.with_name(target.name + ".part")
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with disk_errors(part), part.open("ab+") as file:
        _claim(file, target)
        have = file.seek(0, os.SEEK_END)
        # What an earlier get left may stem from another version of the object, so only the first try builds on it.
        starts = chain([have] if sha256 is not None and 0 < have <= info.size else [], repeat(0))
        found = fetch_right(f"'{info.key}'", lambda: (_fill(file, info, fetch, start=next(starts)), sha256))
        os.fsync(file.fileno())
        part.replace(target)
        sync_folder(target.parent)
    return found


def _fill(file: IO[bytes], info: ObjectInfo, fetch: Fetch, *, start: int) -> str:
    file.truncate(start)
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in iter(lambda: file.read(CHUNK), b""):
        digest.update(chunk)
    if start < info.size:
        for chunk in fetch(start):
            file.write(chunk)
            digest.update(chunk)
    file.flush()
    size = file.tell()
    if size != info.size:
        raise TransientError(
            f"'{info.key}' came with {size} bytes of {info.size}.", fix="Try again: it continues there."
        )
    return digest.hexdigest()


def _claim(file: IO[bytes], target: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise TransientError(
            f"Another process is fetching '{target}'.", fix="Wait for it, or name another file."
        ) from error
    except OSError:
        return  # a file system without locks
