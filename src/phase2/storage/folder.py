"""A folder as a store: objects are files below it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

from phase2.errors import RequestError
from phase2.storage.base import (
    READ_BYTES,
    ObjectInfo,
    ObjectMissingError,
    check_folder,
    check_key,
    check_range,
    check_read_size,
    exists_error,
    missing_error,
)
from phase2.storage.disk.checksums import CHUNK, chunks, verify
from phase2.storage.disk.concurrent import (
    remove_empty_folders,
    rename_if_absent,
    sync_folder_if_present,
    temporary_sibling,
)
from phase2.storage.disk.download import download_verified
from phase2.storage.disk.errors import disk_errors
from phase2.storage.disk.listing import file_status, folder_names, modified_time, walk_files


class LocalStore:
    """A folder as a store: the key is the path below it, and the files are plain files.

    Every write goes to a temporary file in the same folder, is synced to the disk, and is renamed. ``head`` computes
    the digest from the file each time, so it is never out of date.

    Args:
        root: The folder; created by the first put.
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
        if if_absent and file_status(path) is not None:
            raise exists_error(self.url, key)
        content = chunks(source)
        with disk_errors(path), temporary_sibling(path) as (file, temporary):
            digest = hashlib.sha256()
            for chunk in content:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            verify(f"The content for '{key}'", digest.hexdigest(), sha256)
            os.fsync(file.fileno())
            if not if_absent:
                temporary.replace(path)
            elif not rename_if_absent(temporary, path):
                raise exists_error(self.url, key)
            sync_folder_if_present(path.parent)
            status = os.fstat(file.fileno())
        return ObjectInfo(key, status.st_size, digest.hexdigest(), modified_time(status))

    def get(self, key: str, target: Path, *, sha256: str | None = None) -> ObjectInfo:
        """See ``Store.get``."""
        info = self._stat(key)
        found = download_verified(info, target, lambda start: self._stream_from(key, start), sha256=sha256)
        return ObjectInfo(key, info.size, found, info.modified)

    def read(self, key: str) -> bytes:
        """See ``Store.read``."""
        with self._open(key) as file:
            check_read_size(self.url, key, os.fstat(file.fileno()).st_size)
            return file.read(READ_BYTES)

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """See ``Store.read_range``."""
        start, length = check_range(start, length)
        with self._open(key) as file:
            file.seek(start)
            return file.read(length)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See ``Store.list``."""
        folder = self.root / prefix.rpartition("/")[0]
        if prefix.startswith("/") or ".." in prefix.split("/"):
            return
        with disk_errors(folder):
            if not folder.is_dir():
                return
            found = sorted((os.path.relpath(path, self.root), path) for path in walk_files(folder))
        for key, path in found:
            # A file may have been deleted since it was listed.
            if key.startswith(prefix) and (status := file_status(path)):
                yield ObjectInfo(key, status.st_size, None, modified_time(status))

    def folders(self, prefix: str = "") -> Iterator[str]:
        """See ``Store.folders``; like ``list`` it does not follow links."""
        yield from sorted(prefix + name for name in folder_names(self.root / check_folder(prefix)))

    def head(self, key: str) -> ObjectInfo | None:
        """See ``Store.head``; the digest is computed anew."""
        with suppress(ObjectMissingError), self._open(key) as file:
            status = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return ObjectInfo(key, status.st_size, digest, modified_time(status))
        return None

    def delete(self, key: str) -> None:
        """See ``Store.delete``; also removes the folders that become empty. No link leads it out of the store."""
        path = self._path(key)
        self._refuse_link_out(path)
        if file_status(path) is not None:
            with disk_errors(path):
                path.unlink(missing_ok=True)
                sync_folder_if_present(path.parent)
            remove_empty_folders(path.parent, self.root)

    def _refuse_link_out(self, path: Path) -> None:
        with disk_errors(path):
            if path.parent.resolve().is_relative_to(self.root.resolve()):
                return
        raise RequestError(
            f"'{path}' is not deleted.",
            why=f"A link in its path leads out of the store, to {path.parent.resolve()}.",
            fix="Remove the link, or what it leads to, yourself.",
        )

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    @contextmanager
    def _open(self, key: str) -> Iterator[BufferedReader]:
        """Open the object's file once, so that all reads see one version."""
        self._stat(key)
        path = self._path(key)
        with disk_errors(path):
            try:
                file = path.open("rb")
            except FileNotFoundError:
                raise missing_error(self.url, key) from None
            with file:
                yield file

    def _stream_from(self, key: str, start: int) -> Iterator[bytes]:
        with self._open(key) as file:
            file.seek(start)
            yield from iter(lambda: file.read(CHUNK), b"")

    def _stat(self, key: str) -> ObjectInfo:
        status = file_status(self._path(key))
        if status is None:
            raise missing_error(self.url, key)
        return ObjectInfo(key, status.st_size, None, modified_time(status))


def folder_of_address(url: str) -> Path:
    """Return the folder of an address ``file:///...``, whatever bytes its name has: the reverse of :attr:`url`."""
    return Path(os.fsdecode(unquote_to_bytes(urlsplit(url).path)))
