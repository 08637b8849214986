"""Where a run lies in a store: ``<family>/<run name>/<files>``, in a bucket as in the models folder."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from phase2.errors import RequestError
from phase2.runs.layout import MANIFEST, RunDirectory
from phase2.storage.base import Store, check_key

CLAIM = ".publishing"
_IDS = ".ids"
_PIECE = 8 << 20


def manifest_key(prefix: str) -> str:
    """Key of the manifest of the run at ``<family>/<run name>``."""
    return f"{prefix}/{MANIFEST}"


def id_key(run_id: str) -> str:
    """Key of the object that says which run an id stands for, in a store where runs are trained."""
    return f"{_IDS}/{run_id}"


def is_hidden(key: str) -> bool:
    """Whether an object belongs to the machinery (locks, claims, checkpoints, stamps) rather than to a run."""
    return any(name.startswith(".") for name in key.split("/")) or key.endswith(".part")


def is_key(text: str) -> bool:
    """Whether a store can have an object of this name."""
    with suppress(RequestError):
        return bool(check_key(text))
    return False


def stored_digest(store: Store, key: str, size: int) -> str:
    """Hash an object as it lies in the store now, in bounded memory; hexadecimal SHA-256."""
    digest = hashlib.sha256()
    for start in range(0, size, _PIECE):
        digest.update(store.read_range(key, start, min(_PIECE, size - start)))
    return digest.hexdigest()


def folder_of(store: Store) -> Path | None:
    """The folder that a store is; None for a bucket."""
    parts = urlsplit(store.url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def local_run(store: Store, prefix: str) -> RunDirectory | None:
    """The directory of a run when the store is a folder of this machine."""
    folder = folder_of(store)
    return None if folder is None else RunDirectory(folder / prefix)
