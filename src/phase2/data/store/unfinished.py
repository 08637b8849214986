"""Folders of unfinished graph stores: where one is built, what is kept of it, and when it is removed."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from phase2.data.store.files import read_graph_files
from phase2.data.store.writer import GraphWriter, has_journal, remove_parts
from phase2.errors import DataError
from phase2.storage.disk.atomic import remove_temporary_files, sync_folder
from phase2.storage.disk.lock import is_locked

KEPT_DAYS = 7
"""Days after which committed shards of a store that nobody has continued are removed."""

_LOG = logging.getLogger(__name__)


def lock_file(folder: Path) -> Path:
    """Return the lock file that a builder of the store in ``folder`` holds."""
    return folder.with_name(f"{folder.name}.lock")


def unfinished_folder(folder: Path) -> Path:
    """Return the folder that the store in ``folder`` is built in, by whoever holds its lock."""
    return folder.with_name(f".{folder.name}.unfinished")


def begin_folder(folder: Path, *, resumable: bool) -> Path:
    """Create the folder that a store is built in, or find it with what a killed builder has left.

    Args:
        folder: Folder of the store.
        resumable: Whether this process holds the lock; otherwise the folder is a new one.

    Raises:
        OSError: The cache folder cannot be written.
    """
    if resumable:
        unfinished = unfinished_folder(folder)
        unfinished.mkdir(mode=0o700, exist_ok=True)
        if os.access(unfinished, os.R_OK | os.W_OK | os.X_OK):  # of a shared cache, another user may have it
            remove_temporary_files(unfinished)
            return unfinished
    return Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp"))


def open_writer(unfinished: Path, identity: Mapping[str, object]) -> GraphWriter:
    """Open the writer of an unfinished store, after its committed shards if it has any that are whole.

    Args:
        unfinished: Folder of the unfinished store.
        identity: What the store is built from.

    Raises:
        OSError: The folder cannot be written.
    """
    try:
        return GraphWriter(unfinished, identity)
    except DataError as error:
        _LOG.log(logging.WARNING if has_journal(unfinished) else logging.DEBUG, "%s It is built anew.", error)
    shutil.rmtree(unfinished)
    unfinished.mkdir(mode=0o700)
    return GraphWriter(unfinished, identity)


def is_complete(unfinished: Path, fingerprint: str) -> bool:
    """Tell whether all files of a store are there: its builder was killed before it renamed the folder."""
    try:
        read_graph_files(unfinished, fingerprint)
    except DataError:
        return False
    return True


def publish(unfinished: Path, folder: Path) -> None:
    """Rename the folder of a complete store.

    Raises:
        OSError: The cache folder cannot be written.
    """
    remove_parts(unfinished)
    unfinished.chmod(0o755)  # the folders of builders are private, but a cache may be shared
    if folder.exists():
        shutil.rmtree(folder)  # damaged: a valid store is never rebuilt
    unfinished.rename(folder)
    sync_folder(folder.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed builders have left in the cache folder of a store, except what can be continued.

    Temporary folders are those whose lock nobody holds. Committed shards are kept for some days, since another data
    set may be built before the one that was killed.

    Args:
        folder: The store, whose lock this process holds.
    """
    for leftover in (*folder.parent.glob(".*.tmp"), *folder.parent.glob(".*.unfinished")):
        store = folder.parent / leftover.name.split(".")[1]
        if leftover == unfinished_folder(folder) or _may_be_continued(leftover):
            continue
        if store == folder or is_locked(lock_file(store)) is False:
            shutil.rmtree(leftover, ignore_errors=True)


def _may_be_continued(leftover: Path) -> bool:
    if leftover.suffix != ".unfinished":
        return False
    try:
        age = time.time() - leftover.stat().st_mtime  # of the last entry that was made in it: the last commit
    except OSError:
        return True  # renamed by its builder meanwhile
    return has_journal(leftover) and age < KEPT_DAYS * 24 * 3600
