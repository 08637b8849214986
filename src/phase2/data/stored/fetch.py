"""Fetching files of a store into the cache: once for all processes, resumed, verified, and whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from phase2.data.store.cache_folder import cache_folder_errors
from phase2.data.stored.content import ContentFile, total_bytes
from phase2.data.stored.manifest import DataManifest, source_prefix
from phase2.errors import TransientError
from phase2.storage.base import Store
from phase2.storage.disk.atomic import sync_folder
from phase2.storage.disk.lock import wait_for_lock
from phase2.storage.parallel import ByteCounter, in_parallel
from phase2.storage.progress import ProgressCallback

FOLDER = "data"
"""Folder of fetched data sets in the cache."""

FetchFile = Callable[[ContentFile, Path], object]
"""Callback fetching one file to a path, verified."""


def fetch_source(
    store: Store, manifest: DataManifest, cache: Path, *, progress: ProgressCallback | None = None
) -> Path:
    """Fetch the files of a data set, unless they are in the cache; return its file or folder there.

    Raises:
        RequestError: The cache folder cannot be written.
        DataError: A file is damaged in the store.
        TransientError: The store does not respond, or the disk has too little room; the next fetch resumes.
    """
    folder = cache / FOLDER / manifest.address.partition(":")[2]
    prefix = source_prefix(manifest.address)

    def fetch(file: ContentFile, target: Path) -> None:
        store.get(prefix + file.path, target, sha256=file.sha256)

    fetch_folder(folder, manifest.files, fetch, what=f"fetching {manifest.address}", progress=progress)
    return folder / manifest.files[0].path if manifest.is_file else folder


def fetch_folder(
    folder: Path,
    files: Sequence[ContentFile],
    fetch: FetchFile,
    *,
    what: str,
    progress: ProgressCallback | None = None,
) -> None:
    """Fetch files into a folder that appears when all are there, unless it has them.

    Of several processes that need the folder one fetches, and the others wait.

    Args:
        folder: The folder.
        files: Its files.
        fetch: Callback fetching one of them.
        what: What is done, for a warning while waiting.
        progress: Callback receiving bytes done and bytes in all.
    """
    if _is_complete(folder, files):
        return
    with cache_folder_errors(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with wait_for_lock(folder.with_name(f"{folder.name}.lock"), purpose=what):
        if not _is_complete(folder, files):
            with cache_folder_errors(folder.parent):
                if folder.exists():
                    shutil.rmtree(folder)  # somebody removed files of it
            fetch_files(folder, files, fetch, progress=progress)


def fetch_files(
    folder: Path, files: Sequence[ContentFile], fetch: FetchFile, *, progress: ProgressCallback | None = None
) -> None:
    """Fetch files into ``<folder>.partial``, from which an interrupted fetch resumes, and rename it.

    The caller holds the lock of the folder, which is not there.

    Raises:
        TransientError: The disk has too little room; nothing is fetched then.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    with cache_folder_errors(folder.parent):
        partial.mkdir(parents=True, exist_ok=True)
        missing = [file for file in files if not _has(partial, file)]
        _require_room(partial, missing)
    counter = ByteCounter(total_bytes(files), progress)
    counter.add(total_bytes(files) - total_bytes(missing))

    def one(file: ContentFile) -> None:
        fetch(file, partial / file.path)
        counter.add(file.bytes)

    in_parallel(one, missing)
    with cache_folder_errors(folder.parent):
        partial.chmod(0o755)
        partial.rename(folder)
        sync_folder(folder.parent)


def _is_complete(folder: Path, files: Sequence[ContentFile]) -> bool:
    return folder.is_dir() and all(_has(folder, file) for file in files)


def _has(folder: Path, file: ContentFile) -> bool:
    """Return whether a folder has a file; a fetched file appears only when its content was verified."""
    path = folder / file.path
    return path.is_file() and path.stat().st_size == file.bytes


def _require_room(folder: Path, files: Sequence[ContentFile]) -> None:
    begun = sum(part.stat().st_size for part in folder.rglob("*.part"))
    needed, free = total_bytes(files) - begun, shutil.disk_usage(folder).free
    if needed > free:
        raise TransientError(
            f"The disk of the cache folder '{folder.parent}' has too little room for the data.",
            why=f"{needed:,} bytes are needed, and {free:,} are free.",
            fix="Free some space, or set PHASE2_CACHE_DIR to a folder on a larger disk.",
        )
