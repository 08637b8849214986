"""Stores that record requests, or kill their user at a chosen change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phase2.errors import RequestError
from phase2.storage.base import ObjectInfo, Store


class Killed(BaseException):
    """Simulated SIGKILL: nothing in the code under test catches it."""


class WatchedStore:
    """Wrapper of a store that records the keys that were read, put and deleted.

    Args:
        store: The store.
        read_only: Whether every change is refused, as without write permission.
    """

    def __init__(self, store: Store, *, read_only: bool = False) -> None:
        self.store = store
        self.read_only = read_only
        self.reads: list[str] = []
        self.changes: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        """See ``Store.url``."""
        return self.store.url

    def put(self, key: str, source: Path | bytes, *, sha256: str | None = None, if_absent: bool = False) -> ObjectInfo:
        """See ``Store.put``."""
        self._change("put", key)
        info = self.store.put(key, source, sha256=sha256, if_absent=if_absent)
        self._changed()
        return info

    def delete(self, key: str) -> None:
        """See ``Store.delete``."""
        self._change("delete", key)
        self.store.delete(key)
        self._changed()

    def get(self, key: str, target: Path, *, sha256: str | None = None) -> ObjectInfo:
        """See ``Store.get``."""
        self.reads.append(key)
        return self.store.get(key, target, sha256=sha256)

    def read(self, key: str) -> bytes:
        """See ``Store.read``."""
        self.reads.append(key)
        return self.store.read(key)

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """See ``Store.read_range``."""
        return self.store.read_range(key, start, length)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See ``Store.list``."""
        return self.store.list(prefix)

    def folders(self, prefix: str = "") -> Iterator[str]:
        """See ``Store.folders``."""
        return self.store.folders(prefix)

    def head(self, key: str) -> ObjectInfo | None:
        """See ``Store.head``."""
        return self.store.head(key)

    def _change(self, how: str, key: str) -> None:
        if self.read_only:
            raise RequestError(f"'{key}' may not be changed.")
        self.changes.append((how, key))

    def _changed(self) -> None:
        """Hook after a change."""


class KillingStore(WatchedStore):
    """Wrapper of a store that raises :class:`Killed` at its ``k``-th change and all later ones.

    Args:
        store: The store.
        k: Number of the change, counted from 1.
        after: Whether that change takes effect; later ones never do.
    """

    def __init__(self, store: Store, k: int, *, after: bool) -> None:
        super().__init__(store)
        self.k = k
        self.after = after

    def _change(self, how: str, key: str) -> None:
        super()._change(how, key)
        if len(self.changes) > self.k or (len(self.changes) == self.k and not self.after):
            raise Killed

    def _changed(self) -> None:
        if len(self.changes) >= self.k:
            raise Killed
