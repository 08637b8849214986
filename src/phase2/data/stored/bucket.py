"""Data sets that lie in a bucket as plain objects: fetched into the cache, again whenever the objects change."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from pathlib import Path

from phase2.data.store.cache_folder import cache_folder_errors
from phase2.data.stored.content import ContentFile, belongs
from phase2.data.stored.fetch import FOLDER, fetch_folder
from phase2.data.stored.superseded import keep_for_process, remove_superseded
from phase2.errors import DataError, RequestError
from phase2.storage.base import ObjectInfo, Store, check_key
from phase2.storage.progress import ProgressCallback
from phase2.storage.urls import open_store

_LOG = logging.getLogger(__name__)


def fetch_from_bucket(address: str, cache: Path, *, progress: ProgressCallback | None = None) -> Path:
    """Fetch a file or a folder of a bucket, unless the cache has it as it is now; return its path there.

    Copies of what the objects were before are removed from the cache, but for those that a process reads.

    Args:
        address: ``s3://bucket/path`` of an object, or of what lies below it.
        cache: Cache folder.
        progress: Callback receiving bytes done and bytes in all.

    Raises:
        RequestError: The address or the access keys are wrong, or the cache folder cannot be written.
        DataError: There is nothing, or an object is damaged.
        TransientError: The store does not respond, or the disk has too little room; the next fetch resumes.
    """
    store, objects, is_file = _objects(address.rstrip("/"))
    state = [f"{info.key} {info.size} {info.modified.isoformat()}" for info in objects]
    place = f"bucket-{_digest(address.rstrip('/'))}"
    folder = cache / FOLDER / f"{place}-{_digest(*state)}"
    files = [ContentFile(path=info.key, bytes=info.size, sha256="") for info in objects]

    def fetch(file: ContentFile, target: Path) -> None:
        store.get(file.path, target)  # verified by the digest that the server has, if it has one

    with cache_folder_errors(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    keep_for_process(folder)  # first: another process may find the objects changed meanwhile
    fetch_folder(folder, files, fetch, what=f"fetching {address}", progress=progress)
    remove_superseded(folder, f"{place}-*")
    return folder / objects[0].key if is_file else folder


def _digest(*lines: str) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:24]


def _objects(address: str) -> tuple[Store, list[ObjectInfo], bool]:
    """Return the objects at an address, the store that names them from there on, and whether it is a single one."""
    store = open_store(address)
    below = [info for info in store.list() if _is_usable(info.key, address)]
    if below:
        return store, below, False
    above, _, name = address.rpartition("/")
    if above.count("/") >= 2:  # not the bucket itself
        store = open_store(above)
        found = store.head(name)
        if found is not None:
            return store, [found], True
    raise DataError(
        f"There is nothing at {address}.",
        why="A data set in a bucket is an object, or the objects below a path.",
        fix="Check the bucket and the path.",
    )


def _is_usable(key: str, address: str) -> bool:
    """Return whether an object belongs to a data set and can be a file of the cache."""
    if not belongs(key):
        return False
    with suppress(RequestError):
        return bool(check_key(key))
    _LOG.warning("%r below %s is left out: no file can have this name.", key, address)
    return False
