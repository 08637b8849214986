"""What a store keeps of objects that were replaced or deleted, where it is a bucket that can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from phase2.storage.base import Store


@dataclass(frozen=True, slots=True)
class Protection:
    """State of a bucket.

    Attributes:
        versioned: Whether earlier versions of objects are kept; None where the keys may not ask.
        lock: Whether versions can be locked against removal; None where the keys may not ask.
        default_retention: How long each new version is locked, ``30 days, GOVERNANCE``; empty for not at all.
    """

    versioned: bool | None
    lock: bool | None
    default_retention: str = ""


@runtime_checkable
class ProtectedStore(Protocol):
    """A store that may keep earlier versions of its objects."""

    @property
    def retention_days(self) -> int:
        """Days for which the files of a published run are locked; 0 for not at all."""
        ...

    def protection(self) -> Protection:
        """Return what the store keeps."""
        ...

    def retain(self, key: str, until: datetime) -> None:
        """Lock the current version of an object against removal until a time."""
        ...

    def replaced(self, prefix: str) -> Mapping[str, Sequence[str]]:
        """Return the versions, oldest first, of objects that were replaced since they were stored under a free key.

        Args:
            prefix: Beginning of their keys; what is below another slash is left out. Empty where no versions are kept.
        """
        ...

    def pinned(self, chosen: Mapping[str, str]) -> Store:
        """Return this store as it reads with the chosen version of each of these keys in place of the current one."""
        ...

    def count_versions(self, prefix: str) -> int:
        """Return the number of versions and delete markers of objects whose keys start with a prefix."""
        ...

    def delete_versions(self, prefix: str) -> int:
        """Remove all versions of objects whose keys start with a prefix; return their number."""
        ...
