"""Storing files under keys that name their content: what is there is kept, and all is looked at again in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phase2.data.stored.content import ContentFile
from phase2.errors import DataError, TransientError
from phase2.storage.base import ObjectExistsError, Store, check_key
from phase2.storage.folder import LocalStore
from phase2.storage.parallel import ByteCounter, in_parallel


@dataclass(frozen=True, slots=True)
class Upload:
    """Files to store below a prefix.

    Attributes:
        prefix: Prefix of their keys, with its slash.
        files: Their paths on this machine, and what they are.
    """

    prefix: str
    files: Sequence[tuple[Path, ContentFile]]

    def store(self, store: Store, counter: ByteCounter) -> int:
        """Store the files that are not there; return their number.

        An upload that was interrupted is resumed: a file that is there with the right digest is kept.

        Raises:
            DataError: A file has changed since it was hashed.
            RequestError: The keys may not store it.
            TransientError: The store does not respond, or files were removed meanwhile.
        """
        sizes = self._stored_sizes(store)

        def send(pair: tuple[Path, ContentFile]) -> bool:
            path, file = pair
            sent = _store_file(store, self._key(file), path, file, size=sizes.get(self._key(file)))
            counter.add(file.bytes)
            return sent

        sent = in_parallel(send, self.files)
        self._check(store)
        return sum(sent)

    def is_whole(self, store: Store) -> bool:
        """Tell whether all files are there: by their sizes, and by their content in a folder, where it is read.

        A bucket says that of the content which was stored.
        """
        sizes = self._stored_sizes(store)
        if any(sizes.get(self._key(file)) != file.bytes for _, file in self.files):
            return False
        read = isinstance(store, LocalStore)
        return not read or all(in_parallel(lambda pair: _is_equal(store, self._key(pair[1]), pair[1]), self.files))

    def _check(self, store: Store) -> None:
        """Compare what is stored with what should be: somebody may have removed it meanwhile."""
        sizes = self._stored_sizes(store)
        for _, file in self.files:
            if sizes.get(self._key(file)) != file.bytes:
                raise TransientError(
                    f"'{self._key(file)}' was stored in {store.url}, and is not there.",
                    why="Somebody removed or replaced it in the meantime.",
                    fix="Push again.",
                )

    def _stored_sizes(self, store: Store) -> dict[str, int]:
        return {info.key: info.size for info in store.list(self.prefix)}

    def _key(self, file: ContentFile) -> str:
        return check_key(self.prefix + file.path)


def _store_file(store: Store, key: str, path: Path, file: ContentFile, *, size: int | None) -> bool:
    """Store a file unless it is there; return whether it was stored.

    Args:
        store: The store.
        key: Its key.
        path: The file.
        file: What it is.
        size: Size of the object under the key; None without one.
    """
    if size is not None and _is_equal(store, key, file):
        return False
    if not path.exists():
        raise DataError(f"'{path}' is not there any more.", fix="Push again.")
    try:
        # A condition where nothing is to be replaced: keys may have the right to store under free keys alone.
        store.put(key, path, sha256=file.sha256, if_absent=size is None)
    except ObjectExistsError:
        if _is_equal(store, key, file):
            return False  # another push of the same content was quicker
        raise
    return True


def _is_equal(store: Store, key: str, file: ContentFile) -> bool:
    info = store.head(key)
    return info is not None and (info.size, info.sha256) == (file.bytes, file.sha256)
