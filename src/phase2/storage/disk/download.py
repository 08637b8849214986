"""Downloads into a file: resumed, verified, and visible only when complete."""

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
from phase2.storage.disk.links import refuse_links

_SYNC_BYTES = 32 << 20
_WRITE_BYTES = 256 << 10  # larger writes make some kernels look for contiguous pages, at three times the cost

StreamFrom = Callable[[int], Iterator[bytes]]
"""Callback streaming the content of an object from a byte offset."""


def download_verified(info: ObjectInfo, target: Path, stream_from: StreamFrom, *, sha256: str | None) -> str:
    """Download an object to ``<target>.part``, resuming an earlier download, verify it, and rename it.

    Args:
        info: The object as the store has it now.
        target: The file to create or replace.
        stream_from: Callback streaming the object's content from a byte offset.
        sha256: Hex digest to verify; None where it is not known, and then no download is resumed.

    Returns:
        The hex SHA-256 of the content.

    Raises:
        ObjectDamagedError: The digest is wrong, also after a complete download.
        TransientError: Another process is downloading the same file, or the content is damaged in transit.
    """
    part = target.with_name(target.name + ".part")
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with disk_errors(part), open(part, "ab+", opener=refuse_links) as file:
        _lock(file, target)
        have = file.seek(0, os.SEEK_END)
        # The part may belong to another version of the object, so only the first attempt resumes it.
        starts = chain([have] if sha256 is not None and 0 < have <= info.size else [], repeat(0))
        found = fetch_verified(f"'{info.key}'", lambda: (_fill(file, info, stream_from, start=next(starts)), sha256))
        os.fsync(file.fileno())
        part.replace(target)
        sync_folder(target.parent)
    return found


def _fill(file: IO[bytes], info: ObjectInfo, stream_from: StreamFrom, *, start: int) -> str:
    """Keep the first ``start`` bytes of the file, append the rest, and return the hex SHA-256 of all."""
    file.truncate(start)
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in iter(lambda: file.read(CHUNK), b""):
        digest.update(chunk)
    if start < info.size:
        _write(file, stream_from(start), digest.update)
    file.flush()
    size = file.tell()
    if size != info.size:
        raise TransientError(
            f"'{info.key}' arrived with {size} of {info.size} bytes.", fix="Try again: the download resumes."
        )
    return digest.hexdigest()


def _write(file: IO[bytes], chunks: Iterator[bytes], update_digest: Callable[[bytes], None]) -> None:
    """Write, hash and sync concurrently: for a large object each takes about as long as the others."""
    with ThreadPoolExecutor(2) as pool:
        syncing: Future[None] | None = None
        unsynced = 0
        for chunk in chunks:
            hashing = pool.submit(update_digest, chunk)
            for begin in range(0, len(chunk), _WRITE_BYTES):
                file.write(memoryview(chunk)[begin : begin + _WRITE_BYTES])
            unsynced += len(chunk)
            if unsynced >= _SYNC_BYTES and (syncing is None or syncing.done()):
                file.flush()
                syncing, unsynced = pool.submit(os.fsync, file.fileno()), 0
            hashing.result()
        if syncing is not None:
            syncing.result()


def _lock(file: IO[bytes], target: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise TransientError(
            f"Another process is downloading '{target}'.", fix="Wait for it, or name another file."
        ) from error
    except OSError:
        return  # a file system without locks
