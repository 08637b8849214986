"""Keys of a run's objects in a store: ``<family>/<run name>/<files>``, in a bucket as in the models folder."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from phase2.errors import RequestError
from phase2.runs.layout import MANIFEST, RunDirectory
from phase2.storage.base import Store, check_key
from phase2.storage.folder import folder_of_address

CLAIM = ".publishing"
_IDS = ".ids"
_CHUNK = 8 << 20


def manifest_key(prefix: str) -> str:
    """Return the key of the manifest of the run at ``<family>/<run name>``."""
    return f"{prefix}/{MANIFEST}"


def id_key(run_id: str) -> str:
    """Return the key of the object that names the run an id belongs to."""
    return f"{_IDS}/{run_id}"


def is_hidden(key: str) -> bool:
    """Return whether an object is internal (lock, claim, checkpoint, marker) rather than a file of a run."""
    return any(name.startswith(".") for name in key.split("/")) or key.endswith(".part")


def is_key(text: str) -> bool:
    """Return whether a text is a valid key of a store."""
    with suppress(RequestError):
        return bool(check_key(text))
    return False


def stored_digest(store: Store, key: str, size: int) -> str:
    """Return the hex SHA-256 of a stored object, computed from its content in bounded memory."""
    digest = hashlib.sha256()
    for start in range(0, size, _CHUNK):
        digest.update(store.read_range(key, start, min(_CHUNK, size - start)))
    return digest.hexdigest()


def folder_of(store: Store) -> Path | None:
    """Return the folder behind a store; None for a bucket."""
    return folder_of_address(store.url) if urlsplit(store.url).scheme == "file" else None


def local_run(store: Store, prefix: str) -> RunDirectory | None:
    """Return the directory of a run where the store is a folder; None for a bucket."""
    folder = folder_of(store)
    return None if folder is None else RunDirectory(folder / prefix)
