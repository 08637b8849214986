"""The data sets of a store: what is there, what points to it, and removing what nothing uses."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from phase2.config.data.addresses import CONTENT
from phase2.data.stored.content import total_bytes
from phase2.data.stored.manifest import SETS, DataManifest, manifest_key, prefix_of, read_data_manifest
from phase2.data.stored.names import all_names
from phase2.errors import DataError, RequestError
from phase2.storage.base import ObjectMissingError, Store
from phase2.storage.parallel import in_parallel


@dataclass(frozen=True, slots=True)
class StoredData:
    """A data set in a store.

    Attributes:
        address: Its address.
        manifest: Its manifest; None where the data set is not whole, or its manifest is damaged.
        names: Names that point to it.
        size: Bytes of all its objects, its graph stores included.
        changed: When the newest of its objects was stored.
    """

    address: str
    manifest: DataManifest | None
    names: tuple[str, ...]
    size: int
    changed: datetime

    @property
    def source_bytes(self) -> int:
        """Bytes of its own files."""
        return total_bytes(self.manifest.files) if self.manifest else 0


def list_data(store: Store) -> list[StoredData]:
    """List the data sets of a store, the newest first; also what was not pushed completely.

    Raises:
        RequestError: The store cannot be read.
        TransientError: The store does not respond.
    """
    sizes: dict[str, int] = {}
    changed: dict[str, datetime] = {}
    for info in store.list(SETS):
        address = CONTENT + info.key.removeprefix(SETS).partition("/")[0]
        sizes[address] = sizes.get(address, 0) + info.size
        changed[address] = max(info.modified, changed.get(address, info.modified))
    entries = all_names(store)

    def read(address: str) -> StoredData:
        names = tuple(sorted(name for name, entry in entries.items() if entry.address == address))
        return StoredData(address, _manifest(store, address), names, sizes[address], changed[address])

    return sorted(in_parallel(read, sizes), key=lambda one: (one.changed, one.address), reverse=True)


def unused_data(
    found: Iterable[StoredData], used: Collection[str], *, older_than: timedelta, now: datetime
) -> list[StoredData]:
    """Choose the data sets that neither a name nor a run uses, and that have not changed for a while.

    The age protects what is being pushed, and what waiting runs have been given by its address.

    Args:
        found: All data sets.
        used: Addresses that runs name.
        older_than: Least time since the last change.
        now: The current time.
    """
    return [one for one in found if not one.names and one.address not in used and now - one.changed > older_than]


def delete_data(store: Store, address: str) -> bool:
    """Delete a data set, its manifest first; return whether it is gone, since a name may have been given meanwhile.

    After an interruption at any point it can be called again.

    Raises:
        RequestError: The keys may not delete.
        TransientError: The store does not respond.
    """
    key = manifest_key(address)
    try:
        content = store.read(key)
    except ObjectMissingError:
        content = None
    store.delete(key)
    # Whoever gives a name looks for the manifest after that, so that one of the two sees the other.
    if content is not None and any(entry.address == address for entry in all_names(store).values()):
        store.put(key, content)
        return False
    in_parallel(store.delete, [info.key for info in store.list(prefix_of(address))])
    return True


def _manifest(store: Store, address: str) -> DataManifest | None:
    try:
        return read_data_manifest(store, address)
    except (RequestError, DataError):
        return None
