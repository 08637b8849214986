"""What every place for files can do, whether it is a folder or a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from phase2.errors import DataError, RequestError

KEY_BYTES = 900


class ObjectMissingError(RequestError):
    """No object is stored under the key."""


class ObjectExistsError(RequestError):
    """An object is stored under the key already, and the put asked for a free one."""


class ObjectDamagedError(DataError):
    """The bytes are not the ones that the SHA-256 was made of."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a store knows of one object without handing out its content.

    Attributes:
        key: Name of the object, a relative path with forward slashes.
        size: Number of bytes.
        sha256: Hex digest of the content; None when the store does not know it (a listing never does).
        modified: When the object was written, with time zone, by the store's clock.
    """

    key: str
    size: int
    sha256: str | None
    modified: datetime


class Store(Protocol):
    """A flat set of objects under keys such as ``runs/run_1/best.pt``; may be used from several threads at once.

    An object appears whole or not at all. Every method raises ``RequestError`` when the key or the settings of the
    store (bucket, access keys, address, permission) are wrong, and ``TransientError`` when trying again later may help.
    """

    @property
    def url(self) -> str:
        """Where the store is, as ``open_store`` takes it; never with access keys."""
        ...

    def put(self, key: str, source: Path | bytes, *, sha256: str | None = None, if_absent: bool = False) -> ObjectInfo:
        """Store a file or bytes under a key, in place of what was there, and make sure that they arrived as they are.

        Args:
            key: Name of the object.
            source: The content, or the file that holds it.
            sha256: Hex digest that the content must have; None takes the content as it is.
            if_absent: Only store when nothing is there. Of several that try at once exactly one succeeds, if the
                content goes in one part (under 8 MB, as manifests do): not every S3 server checks and completes a
                multipart upload in one act (SeaweedFS 4 does not).

        Returns:
            The stored object, with its SHA-256.

        Raises:
            ObjectExistsError: ``if_absent`` and the key is taken, even by the same content.
            ObjectDamagedError: The content does not have the digest; nothing was stored.
        """
        ...

    def get(self, key: str, target: Path, *, sha256: str | None = None) -> ObjectInfo:
        """Bring an object into a file by way of ``<target>.part``, where an interrupted get is continued by the next.

        Args:
            key: Name of the object.
            target: The file to make or replace; it only appears complete and verified.
            sha256: Hex digest to verify; None verifies the one that the store knows, if any.

        Returns:
            The object, with the SHA-256 of what was written.

        Raises:
            ObjectMissingError: There is no such object.
            ObjectDamagedError: The content does not have the digest, also when fetched anew.
        """
        ...

    def read(self, key: str) -> bytes:
        """Content of a small object; raises ``ObjectMissingError`` when there is none."""
        ...

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Up to ``length`` bytes from byte ``start`` on, fewer at the end; raises ``ObjectMissingError``."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Objects whose keys start with the prefix (any string, not only whole folders), sorted by key."""
        ...

    def folders(self, prefix: str = "") -> Iterator[str]:
        """Folders directly below one, sorted, without passing every key: ``folders("a/")`` gives ``"a/b"``, ``"a/c"``.

        Args:
            prefix: "" or a folder with the slash at its end.

        Raises:
            RequestError: The prefix is not of that form.
        """
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """One object, with its SHA-256 where the store knows it; None when there is none."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; no error when there is none."""
        ...


def check_key(key: str) -> str:
    """Return a key that means the same in every store.

    Raises:
        RequestError: It is empty or absolute, leaves the store, is too long, or has a name that stores use themselves.
    """
    names = key.split("/")
    if not key or any(name in {"", ".", ".."} for name in names):
        reason = "A key is a relative path with forward slashes and without '.', '..' or empty names."
    elif "\\" in key or not key.isprintable():
        reason = "A key has no backslash and no control characters."
    elif len(key.encode()) > KEY_BYTES or any(len(name.encode()) > 200 for name in names):
        reason = f"A key has at most {KEY_BYTES} bytes, each name in it at most 200."
    elif any(is_unfinished(name) for name in names):
        reason = "Names such as '.x.tmp' are kept for files that are being written."
    else:
        return key
    raise RequestError(f"{key!r} is no key of a store.", why=reason, fix="Choose another name.")


def check_folder(prefix: str) -> str:
    """Return a prefix that is "" or a folder with the slash at its end; raises ``RequestError`` for others."""
    if prefix and not prefix.endswith("/"):
        raise RequestError(f"{prefix!r} is no folder of a store.", why="Folders end in a slash.", fix="Add one.")
    if prefix:
        check_key(prefix[:-1])
    return prefix


def is_unfinished(name: str) -> bool:
    """Whether a file of this name is one that is being written, or was when its writer was killed."""
    return name.startswith(".") and name.endswith(".tmp")


def missing(url: str, key: str) -> ObjectMissingError:
    """The error of a key that nothing is stored under."""
    return ObjectMissingError(f"There is no '{key}' in {url}.", fix="Check the name, or list what is there.")


def exists(url: str, key: str) -> ObjectExistsError:
    """The error of a key that was to be free."""
    return ObjectExistsError(f"'{key}' is already in {url}.", why="It was to be stored only where nothing is.")


def checked_range(start: int, length: int) -> tuple[int, int]:
    """Return a range of bytes that makes sense; raises ``RequestError`` for negative numbers."""
    if start < 0 or length < 0:
        raise RequestError(f"Bytes {start} + {length} are no range.", why="Start and length count from zero.")
    return start, length
