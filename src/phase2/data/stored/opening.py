"""Opening a data set by any address: the layer before the sources that read files of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phase2.config.data.addresses import CONTENT, is_content, is_on_server, is_short_content, may_be_name
from phase2.config.data.sets import CRYSTALS
from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.config.settings import STORE_VARIABLE, cache_dir, store_url
from phase2.data.sources.base import Source
from phase2.data.sources.optimade import OptimadeSource
from phase2.data.sources.registry import open_source
from phase2.data.stored.bucket import fetch_from_bucket
from phase2.data.stored.content import address_of, read_content
from phase2.data.stored.fetch import fetch_source
from phase2.data.stored.manifest import SETS, read_data_manifest
from phase2.data.stored.names import current_entry, nearest_names
from phase2.data.stored.source import StoredSource
from phase2.errors import DataError, RequestError, UnknownNameError
from phase2.properties import PROPERTIES, Property
from phase2.storage.base import Store
from phase2.storage.disk.home import expand_home
from phase2.storage.progress import ProgressCallback
from phase2.storage.urls import is_address, open_store


def open_data_set(
    address: str,
    limits: ReadingLimits = DEFAULT_LIMITS,
    properties: Sequence[Property] = PROPERTIES,
    *,
    store: Store | None = None,
    cache: Path | None = None,
) -> Source:
    """Open a data set; of one in a store its manifest is read, of one in a bucket its objects are fetched.

    Args:
        address: A data set that comes with phase2, a path, ``s3://bucket/path``, a name in the store, or
            ``sha256:...``.
        limits: Limits of reading.
        properties: The properties whose labels are read: ``PROPERTIES``, and those that a run defines.
        store: The store; that of the environment by default.
        cache: Cache folder; the user's by default.

    Raises:
        UnknownNameError: There is no data set of this name.
        RequestError: There is no such data set in the store, or no store is known.
        DataError: The file does not exist, is no data set, or is damaged.
        TransientError: The store does not respond.
    """
    address = pinned_address(address, store=store)
    if is_content(address):
        place = store or store_of_data(address)
        return StoredSource(place, read_data_manifest(place, address), cache or cache_dir(), limits, properties)
    if _is_in_bucket(address):
        return open_source(str(fetch_from_bucket(address, cache or cache_dir())), limits, properties)
    return open_source(address, limits, properties)


def pinned_address(address: str, *, store: Store | None = None, url: str | None = None) -> str:
    """Return the address of the content that a name in the store points to now; other addresses as they are.

    What is on this machine comes first, as ever: a path of that name, and the data sets that come with phase2. Without
    a store there are no names.

    Args:
        address: An address.
        store: The store; None opens ``url``.
        url: Address of the store; that of the environment by default.

    Raises:
        UnknownNameError: The store has no such name.
        RequestError: No data set in the store begins with these digits, or several do.
    """
    if is_short_content(address):
        return _complete(store or store_of_data(address, url), address)
    if not may_be_name(address) or Path(address).exists():
        return address
    place = store or (open_store(url or store_url() or "") if url or store_url() else None)
    if place is None:
        return address
    entry = current_entry(place, address)
    if entry is None:
        raise UnknownNameError.of("data set", address, [*CRYSTALS, *nearest_names(place)])
    return entry.address


def local_path(address: str, *, store: Store | None = None, progress: ProgressCallback | None = None) -> Path:
    """Return the path of a data set's file or folder on this machine; one that is elsewhere is fetched into the cache.

    Raises:
        RequestError: There is no such data set in the store, or no store is known.
        DataError: There is nothing at the address, or a file is damaged.
        TransientError: The store does not respond, or the disk has too little room.
    """
    address = pinned_address(address, store=store)
    if is_content(address):
        place = store or store_of_data(address)
        return fetch_source(place, read_data_manifest(place, address), cache_dir(), progress=progress)
    if _is_in_bucket(address):
        return fetch_from_bucket(address, cache_dir(), progress=progress)
    if is_on_server(address):
        return OptimadeSource(address, progress=progress).fetch()
    return expand_home(address)


def content_address(address: str, *, store: Store | None = None) -> str:
    """Return the address of a data set's content: from any machine the same data are found by it, once pushed.

    Empty for what comes with phase2, and where a file cannot be read: such a data set cannot be pushed either.
    """
    if is_content(address):
        return address
    if address in CRYSTALS:
        return ""
    try:
        return address_of(read_content(local_path(address, store=store)))
    except DataError:
        return ""


def store_of_data(address: str, url: str | None = None) -> Store:
    """Open the store that has a data set: the one of the command, or that of the environment.

    Raises:
        RequestError: None is known.
    """
    where = url or store_url()
    if where is None:
        raise RequestError(
            f"{address} is a data set in a store, and no store is known.",
            why="It is fetched from where it was pushed.",
            fix=f"Set {STORE_VARIABLE} to s3://bucket/prefix or a folder; 'train' and 'data' take --store too.",
        )
    return open_store(where)


def _is_in_bucket(address: str) -> bool:
    """Return whether data are in a bucket; an address that nearly is one of a bucket is refused."""
    return address[:2].lower() == "s3" and not Path(address).exists() and is_address(address)


def _complete(store: Store, address: str) -> str:
    """Complete the digits of an address that was cut."""
    digits = address.removeprefix(CONTENT)
    found = sorted({info.key.removeprefix(SETS)[:64] for info in store.list(SETS + digits)})
    if len(found) == 1:
        return CONTENT + found[0]
    raise RequestError(
        f"{len(found) or 'No'} data sets in {store.url} begin with {address}.",
        why=f"They are {', '.join(CONTENT + one[:12] for one in found[:5])}." if found else "",
        fix="Give more digits." if found else "'phase2 data list' shows what is there.",
    )
