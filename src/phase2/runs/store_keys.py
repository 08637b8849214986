"""Where a run lies in a store: ``<family>/<run name>/<files>``, in a bucket as in the models folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import unquote, urlsplit

from phase2.runs.layout import MANIFEST, RunDirectory
from phase2.storage.base import Store

CLAIM = ".publishing"
_PIECE = 8 << 20


def manifest_key(prefix: str) -> str:
    """Key of the manifest of the run at ``<family>/<run name>``."""
    return f"{prefix}/{MANIFEST}"


def is_hidden(key: str) -> bool:
    """Whether an object belongs to the machinery (locks, claims, the index) rather than to a run."""
    return any(name.startswith(".") for name in key.split("/")) or key.endswith(".part")


def stored_digest(store: Store, key: str, size: int) -> str:
    """Hash an object as it lies in the store now, in bounded memory; hexadecimal SHA-256."""
    digest = hashlib.sha256()
    for start in range(0, size, _PIECE):
        digest.update(store.read_range(key, start, min(_PIECE, size - start)))
    return digest.hexdigest()


def local_run(store: Store, prefix: str) -> RunDirectory | None:
    """The directory of a run when the store is a folder of this machine."""
    parts = urlsplit(store.url)
    return RunDirectory(Path(unquote(parts.path)) / prefix) if parts.scheme == "file" else None
