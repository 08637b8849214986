"""The protocol of a store, whether it is a folder or a bucket, and its errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from phase2.errors import DataError, ModelFileError, RequestError

KEY_BYTES = 900
READ_BYTES = 128 << 20
"""Largest object that is read into memory: ten times the index of ten thousand runs."""


class KeysMissingError(RequestError):
    """There are no access keys for a store that needs them."""


class ObjectMissingError(RequestError):
    """No object under the key."""


class ObjectExistsError(RequestError):
    """An object is already stored under the key of a conditional put."""


class ObjectDamagedError(DataError):
    """Content that does not have the expected SHA-256."""


class ObjectTooLargeError(ObjectDamagedError):
    """Object that is too large to be what its key says: a record, an index, a claim."""

    exit_code = ModelFileError.exit_code


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """Metadata of one object.

    Attributes:
        key: Name of the object, a relative path with forward slashes.
        size: Number of bytes.
        sha256: Hex digest of the content; None where the store does not know it (listings never do).
        modified: When the object was written, by the store's clock; timezone-aware.
    """

    key: str
    size: int
    sha256: str | None
    modified: datetime


class Store(Protocol):
    """A flat set of objects under keys such as ``runs/run_1/best.pt``; safe to use from several threads.

    Writes are atomic: an object appears whole or not at all. Every method raises ``RequestError`` when the key or the
    settings of the store (bucket, access keys, address, permission) are wrong, and ``TransientError`` when a later
    attempt may succeed.
    """

    @property
    def url(self) -> str:
        """Address of the store, as ``open_store`` takes it; never with access keys."""
        ...

    def put(self, key: str, source: Path | bytes, *, sha256: str | None = None, if_absent: bool = False) -> ObjectInfo:
        """Store a file or bytes under a key, replacing any object there, and verify that they arrived intact.

        Args:
            key: Name of the object.
            source: The content, or the file that holds it.
            sha256: Hex digest that the content must have; None accepts any content.
            if_absent: Store only where the key is free. Of several concurrent puts exactly one succeeds, if the
                content fits in one part (under 8 MB, as manifests do): not every S3 server checks and completes a
                multipart upload atomically (SeaweedFS 4 does not).

        Returns:
            The stored object, with its SHA-256.

        Raises:
            ObjectExistsError: ``if_absent`` was set and the key is taken, even by equal content.
            ObjectDamagedError: The content does not have the digest; nothing was stored.
        """
        ...

    def get(self, key: str, target: Path, *, sha256: str | None = None) -> ObjectInfo:
        """Download an object into a file, through ``<target>.part``, from which an interrupted download resumes.

        Args:
            key: Name of the object.
            target: The file to create or replace; it appears only when complete and verified.
            sha256: Hex digest to verify; None verifies against the store's own, if it has one.

        Returns:
            The object, with the SHA-256 of the content written.

        Raises:
            ObjectMissingError: There is no such object.
            ObjectDamagedError: The content does not have the digest, even after a second download.
        """
        ...

    def read(self, key: str) -> bytes:
        """Return the content of a small object.

        Raises:
            ObjectMissingError: There is no such object.
            ObjectTooLargeError: It has more than ``READ_BYTES``; nothing was read into memory.
            ObjectDamagedError: It does not have the digest that the store recorded.
        """
        ...

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Return up to ``length`` bytes from byte ``start`` on, fewer at the end; raises ``ObjectMissingError``."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Iterate over the objects whose keys start with a prefix (any string, not only folders), sorted by key."""
        ...

    def folders(self, prefix: str = "") -> Iterator[str]:
        """Iterate over the folders directly below one, sorted: ``folders("a/")`` yields ``"a/b"``, ``"a/c"``.

        Args:
            prefix: "" or a folder with a trailing slash.

        Raises:
            RequestError: The prefix is not of that form.
        """
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """Return an object's metadata, with its SHA-256 where the store knows it; None when there is none."""
        ...

    def delete(self, key: str) -> None:
        """Delete an object; no error when there is none."""
        ...


@runtime_checkable
class PresigningStore(Protocol):
    """A store whose objects can be downloaded over HTTP by whoever has an address with a signature."""

    def presign(self, key: str, seconds: int) -> str:
        """Return an address of an object that needs no access keys, for some seconds."""
        ...


def check_key(key: str) -> str:
    """Return a key that is valid in every store.

    Raises:
        RequestError: It is empty, absolute, too long, points outside the store, or has a name reserved for stores.
    """
    names = key.split("/")
    if not key or any(name in {"", ".", ".."} for name in names):
        reason = "A key is a relative path with forward slashes and without '.', '..' or empty names."
    elif "\\" in key or not key.isprintable():
        reason = "A key has no backslash and no control characters."
    elif len(key.encode()) > KEY_BYTES or any(len(name.encode()) > 200 for name in names):
        reason = f"A key has at most {KEY_BYTES} bytes, each name in it at most 200."
    elif any(is_temporary(name) for name in names):
        reason = "Names such as '.x.tmp' are reserved for files that are being written."
    else:
        return key
    raise RequestError(f"{key!r} is not a valid key of a store.", why=reason, fix="Choose another name.")


def check_folder(prefix: str) -> str:
    """Return a prefix that is "" or a folder with a trailing slash; raises ``RequestError`` for others."""
    if prefix and not prefix.endswith("/"):
        raise RequestError(f"{prefix!r} is not a folder of a store.", why="Folders end in a slash.", fix="Add one.")
    if prefix:
        check_key(prefix[:-1])
    return prefix


def is_temporary(name: str) -> bool:
    """Return whether a name is that of a file being written, or left behind by a killed writer."""
    return name.startswith(".") and name.endswith(".tmp")


def missing_error(url: str, key: str) -> ObjectMissingError:
    """Make the error of a key without an object."""
    return ObjectMissingError(f"There is no '{key}' in {url}.", fix="Check the name, or list what is there.")


def check_read_size(url: str, key: str, size: int) -> None:
    """Raise ``ObjectTooLargeError`` for an object that is too large to be read into memory."""
    if size > READ_BYTES:
        raise ObjectTooLargeError(
            f"'{key}' in {url} is damaged.",
            why=f"It has {size:,} bytes; no record of phase2 has more than {READ_BYTES:,}.",
            fix="Look at it, and remove or restore it with the tools of the store.",
        )


def exists_error(url: str, key: str) -> ObjectExistsError:
    """Make the error of a conditional put to a key that is taken."""
    return ObjectExistsError(f"'{key}' is already in {url}.", why="A conditional put stores only under a free key.")


def check_range(start: int, length: int) -> tuple[int, int]:
    """Return a valid range of bytes; raises ``RequestError`` for negative numbers."""
    if start < 0 or length < 0:
        raise RequestError(f"Bytes {start} + {length} are not a valid range.", why="Start and length count from zero.")
    return start, length
