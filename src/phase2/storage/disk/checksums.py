"""Reading what is to be stored, and holding it to its SHA-256."""

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
    """Hex SHA-256 of a file or of bytes, in bounded memory."""
    digest = hashlib.sha256()
    for chunk in chunks(source):
        digest.update(chunk)
    return digest.hexdigest()


def size_of(source: Path | bytes) -> int:
    """Number of bytes of a file or of bytes."""
    if isinstance(source, bytes):
        return len(source)
    with disk_errors(source):
        return source.stat().st_size


def chunks(source: Path | bytes, size: int = CHUNK) -> Iterator[bytes]:
    """Content in pieces of ``size`` bytes; the last one may be shorter."""
    if isinstance(source, bytes):
        yield from (source[start : start + size] for start in range(0, len(source), size))
        return
    with disk_errors(source), source.open("rb") as file:
        yield from iter(partial(file.read, size), b"")


def fetch_verified(what: str, fetch: Callable[[], tuple[str, str | None]]) -> str:
    """Fetch content until it has its SHA-256, and return that.

    Content that is wrong in the same way twice is wrong where it lies; wrong in other ways, it is harmed on the way.

    Args:
        what: Name of the content, for messages.
        fetch: Brings the content; gives the hex digest that it came with and the one that it must have, if known.

    Raises:
        ObjectDamagedError: The content is not what was expected.
        TransientError: It comes otherwise each time.
    """
    seen: set[str] = set()
    for _ in range(_FETCHES):
        found, expected = fetch()
        if found in seen or expected is None or found == expected.lower():
            verify(what, found, expected)
            return found
        seen.add(found)
    raise TransientError(
        f"{what} comes with other bytes each time.",
        why="Something on the way here damages it.",
        fix="Try again, and use https, which notices that.",
    )


def verify(what: str, found: str, expected: str | None) -> None:
    """Raise ``ObjectDamagedError`` unless the digest found is the expected one, or none is expected."""
    if expected is not None and found != expected.lower():
        raise ObjectDamagedError(
            f"{what} is not the content that was expected.",
            why=f"Its SHA-256 is {found}, not {expected}.",
            fix="It was changed or damaged; make or fetch it again.",
        )
