"""SHA-256 digests: of files and bytes, and the verification of what is stored or fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from phase2.errors import TransientError
from phase2.storage.base import ObjectDamagedError
from phase2.storage.disk.errors import disk_errors

CHUNK = 1 << 20
_FETCHES = 4


def sha256_of(source: Path | bytes) -> str:
    """Return the hex SHA-256 of a file or of bytes, in bounded memory."""
    digest = hashlib.sha256()
    for chunk in chunks(source):
        digest.update(chunk)
    return digest.hexdigest()


def size_of(source: Path | bytes) -> int:
    """Return the size of a file or of bytes."""
    if isinstance(source, bytes):
        return len(source)
    with disk_errors(source):
        return source.stat().st_size


def chunks(source: Path | bytes, size: int = CHUNK) -> Iterator[bytes]:
    """Yield the content in chunks of ``size`` bytes; the last one may be shorter."""
    if isinstance(source, bytes):
        yield from (source[start : start + size] for start in range(0, len(source), size))
        return
    with disk_errors(source), source.open("rb") as file:
        yield from iter(partial(file.read, size), b"")


def fetch_verified(what: str, fetch: Callable[[], tuple[str, str | None]]) -> str:
    """Fetch content until it has its SHA-256, and return the digest.

    Content that arrives twice with the same wrong digest is damaged at its source; with different digests, in transit.

    Args:
        what: Name of the content, for messages.
        fetch: Fetches the content; returns the hex digest of what arrived and the expected one, if known.

    Raises:
        ObjectDamagedError: The content is damaged at its source.
        TransientError: It arrives with another digest each time.
    """
    seen: set[str] = set()
    for _ in range(_FETCHES):
        found, expected = fetch()
        if found in seen or expected is None or found == expected.lower():
            verify(what, found, expected)
            return found
        seen.add(found)
    raise TransientError(
        f"{what} arrives with other bytes each time.",
        why="It is damaged in transit.",
        fix="Try again, and use https, which detects that.",
    )


def verify(what: str, found: str, expected: str | None) -> None:
    """Raise ``ObjectDamagedError`` unless the digest found is the expected one, or none is expected."""
    if expected is not None and found != expected.lower():
        raise ObjectDamagedError(
            f"{what} does not have the expected content.",
            why=f"Its SHA-256 is {found}, not {expected}.",
            fix="It was changed or damaged; create or fetch it again.",
        )
