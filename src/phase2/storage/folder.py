"""Objects as files below one folder."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import IO

from phase2.storage.base import (
    ObjectInfo,
    ObjectMissingError,
    check_folder,
    check_key,
    checked_range,
    exists,
    is_unfinished,
    missing,
)
from phase2.storage.disk.atomic import sync_folder
from phase2.storage.disk.checksums import CHUNK, chunks, verify
from phase2.storage.disk.download import land
from phase2.storage.disk.errors import disk_errors

_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


class LocalStore:
    """A folder as a store: the key is the path below it, and the files are plain files.

    Every write goes to a temporary file beside its place, is synced to the disk, and is renamed. The digest in ``head``
    is computed from the file each time, so it is never out of date.

    Args:
        root: The folder; made by the first put.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    @property
    def url(self) -> str:
        """``file:///...`` of the folder."""
        return self.root.as_uri()

    def __repr__(self) -> str:
        return f"LocalStore({str(self.root)!r})"

    def put(self, key: str, source: Path | bytes, *, sha256: str | None = None, if_absent: bool = False) -> ObjectInfo:
        """See ``Store.put``."""
        path = self._path(key)
        if if_absent and _status(path) is not None:
            raise exists(self.url, key)
        content = chunks(source)
        with disk_errors(path), _beside(path) as (file, temporary):
            digest = hashlib.sha256()
            for chunk in content:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            verify(f"The content for '{key}'", digest.hexdigest(), sha256)
            os.fsync(file.fileno())
            if not if_absent:
                temporary.replace(path)
            elif not _link(temporary, path):
                raise exists(self.url, key)
            _sync_if_there(path.parent)
            status = os.fstat(file.fileno())
        return ObjectInfo(key, status.st_size, digest.hexdigest(), _time(status))

    def get(self, key: str, target: Path, *, sha256: str | None = None) -> ObjectInfo:
        """See ``Store.get``."""
        info = self._stat(key)
        found = land(info, target, lambda start: self._from(key, start), sha256=sha256)
        return ObjectInfo(key, info.size, found, info.modified)

    def read(self, key: str) -> bytes:
        """See ``Store.read``."""
        with self._open(key) as file:
            return file.read()

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """See ``Store.read_range``."""
        start, length = checked_range(start, length)
        with self._open(key) as file:
            file.seek(start)
            return file.read(length)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See ``Store.list``."""
        folder = self.root / prefix.rpartition("/")[0]
        if ".." in prefix.split("/") or not folder.is_dir():
            return
        with disk_errors(folder):
            found = sorted((os.path.relpath(path, self.root), path) for path in _files(folder))
        for key, path in found:
            # A file may be deleted between its listing and this line.
            if key.startswith(prefix) and (status := _status(path)):
                yield ObjectInfo(key, status.st_size, None, _time(status))

    def folders(self, prefix: str = "") -> Iterator[str]:
        """See ``Store.folders``; like ``list`` it does not follow links."""
        yield from sorted(prefix + name for name in _folder_names(self.root / check_folder(prefix)))

    def head(self, key: str) -> ObjectInfo | None:
        """See ``Store.head``; the digest is computed now."""
        with suppress(ObjectMissingError), self._open(key) as file:
            status = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return ObjectInfo(key, status.st_size, digest, _time(status))
        return None

    def delete(self, key: str) -> None:
        """See ``Store.delete``; folders that it empties go with it."""
        path = self._path(key)
        if _status(path) is not None:
            with disk_errors(path):
                path.unlink(missing_ok=True)
                _sync_if_there(path.parent)
            _remove_empty(path.parent, self.root)

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    @contextmanager
    def _open(self, key: str) -> Iterator[BufferedReader]:
        """The object's file, opened once, so that what is read of it is of one version."""
        self._stat(key)
        path = self._path(key)
        with disk_errors(path):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                raise missing(self.url, key) from None
            with file:
                yield file

    def _from(self, key: str, start: int) -> Iterator[bytes]:
        with self._open(key) as file:
            file.seek(start)
            yield from iter(lambda: file.read(CHUNK), b"")

    def _stat(self, key: str) -> ObjectInfo:
        status = _status(self._path(key))
        if status is None:
            raise missing(self.url, key)
        return ObjectInfo(key, status.st_size, None, _time(status))


@contextmanager
def _beside(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """A new temporary file in the folder of ``path``, removed at the end unless it was renamed."""
    temporary = path.with_name(f".{path.name[:160]}.{secrets.token_hex(6)}.tmp")
    for last in (False, False, False, True):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = temporary.open("xb", buffering=CHUNK)
            break
        except FileNotFoundError:
            # A delete in another thread took the empty folder away in between.
            if last:
                raise
    try:
        with file:
            yield file, temporary
    finally:
        temporary.unlink(missing_ok=True)


def _link(temporary: Path, path: Path) -> bool:
    """Give the file its name unless the name is taken; one of several at once succeeds."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _rename_alone(temporary, path)
    return True


def _rename_alone(temporary: Path, path: Path) -> bool:
    """The same on a file system without hard links: under a lock of the folder, so only among stores of one machine."""
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if path.exists():
            return False
        temporary.replace(path)
        return True
    finally:
        os.close(descriptor)


def _files(folder: Path) -> Iterator[Path]:
    for here, _, names in os.walk(folder):
        yield from (Path(here, name) for name in names if not is_unfinished(name))


def _folder_names(folder: Path) -> Iterator[str]:
    with disk_errors(folder):
        if not folder.is_dir():
            return
        with os.scandir(folder) as entries:
            yield from (e.name for e in entries if e.is_dir(follow_symlinks=False) and not is_unfinished(e.name))


def _status(path: Path) -> os.stat_result | None:
    """What the system knows of a plain file; None when there is none."""
    with disk_errors(path):
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
    return status if stat.S_ISREG(status.st_mode) else None


def _sync_if_there(folder: Path) -> None:
    """Sync a folder, unless a delete in another thread or process has emptied it and taken it away."""
    with suppress(FileNotFoundError):
        sync_folder(folder)


def _remove_empty(folder: Path, root: Path) -> None:
    while folder != root:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _time(status: os.stat_result) -> datetime:
    return datetime.fromtimestamp(status.st_mtime, UTC)
