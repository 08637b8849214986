"""Bringing an object into a file: resumed, verified, and there only when it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, repeat
from pathlib import Path
from typing import IO

from phase2.errors import TransientError
from phase2.storage.base import ObjectInfo
from phase2.storage.disk.atomic import sync_folder
from phase2.storage.disk.checksums import CHUNK, fetch_verified
from phase2.storage.disk.errors import disk_errors

_SYNCED_AT_ONCE = 32 << 20
_WRITTEN_AT_ONCE = 256 << 10  # larger writes make some kernels look for contiguous pages, at three times the cost

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
        found = fetch_verified(f"'{info.key}'", lambda: (_fill(file, info, fetch, start=next(starts)), sha256))
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
        _write(file, fetch(start), digest.update)
    file.flush()
    size = file.tell()
    if size != info.size:
        raise TransientError(
            f"'{info.key}' came with {size} bytes of {info.size}.", fix="Try again: it continues there."
        )
    return digest.hexdigest()


def _write(file: IO[bytes], pieces: Iterator[bytes], hash_piece: Callable[[bytes], None]) -> None:
    """Write, hash, and bring to the disk side by side: for a large object each takes about as long as the others."""
    with ThreadPoolExecutor(2) as beside:
        syncing: Future[None] | None = None
        unsynced = 0
        for piece in pieces:
            hashing = beside.submit(hash_piece, piece)
            for begin in range(0, len(piece), _WRITTEN_AT_ONCE):
                file.write(memoryview(piece)[begin : begin + _WRITTEN_AT_ONCE])
            unsynced += len(piece)
            if unsynced >= _SYNCED_AT_ONCE and (syncing is None or syncing.done()):
                file.flush()
                syncing, unsynced = beside.submit(os.fsync, file.fileno()), 0
            hashing.result()
        if syncing is not None:
            syncing.result()


def _claim(file: IO[bytes], target: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise TransientError(
            f"Another process is fetching '{target}'.", fix="Wait for it, or name another file."
        ) from error
    except OSError:
        return  # a file system without locks
