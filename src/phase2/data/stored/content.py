"""The content of a data set: its files with their digests, and the address that follows from them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from phase2.config.data.addresses import CONTENT
from phase2.data.crystals.readers import is_structure_file, is_structure_name
from phase2.errors import DataError
from phase2.storage.disk.checksums import sha256_of
from phase2.storage.parallel import in_parallel
from phase2.storage.records import Counted, Record

_TEXT = (".csv", ".tsv", ".txt", ".md", ".yaml", ".yml")


class ContentFile(Record):
    """One file of a content.

    Attributes:
        path: Path within the data set, with forward slashes; the name of a data set that is one file.
        bytes: Its size.
        sha256: Hex digest of its content.
    """

    path: str
    bytes: Counted
    sha256: str


def belongs(name: str) -> bool:
    """Return whether a file belongs to a data set by its name: structures, tables and texts do.

    What else lies beside structures, such as wave functions, is often a thousand times as large, and is not read.
    """
    path = Path(name)
    return is_structure_name(path.name) or path.suffix.lower() in _TEXT


def read_content(path: Path, *, everything: bool = False) -> tuple[ContentFile, ...]:
    """Hash the files of a data set, sorted by their paths. Links are followed.

    Args:
        path: A file or a folder.
        everything: Whether all files of a folder are hashed, and not those alone that belong to a data set.

    Raises:
        DataError: A file is missing, no regular file, or cannot be read.
    """
    chosen = (pair for pair in _files(path) if everything or not path.is_dir() or _is_content(*pair))
    found = sorted(chosen, key=lambda pair: os.fsencode(pair[0]))
    if not found:
        raise DataError(f"The folder {path} has no structures.", fix="Name the folder of a data set.")
    return tuple(in_parallel(lambda pair: _hashed(*pair), found))


def count_left_out(path: Path) -> int:
    """Count the files of a folder that do not belong to its content."""
    return sum(not _is_content(*pair) for pair in _files(path)) if path.is_dir() else 0


def local_files(path: Path, files: Iterable[ContentFile]) -> list[tuple[Path, ContentFile]]:
    """Return the files of a content with their paths on this machine."""
    return [(path / file.path if path.is_dir() else path, file) for file in files]


def address_of(files: Iterable[ContentFile]) -> str:
    """Return the address of a content: the SHA-256 of what ``sha256sum`` prints of its files, sorted by path.

    Example:
        >>> address_of([ContentFile(path="a", bytes=0, sha256="0" * 64)])[:20]
        'sha256:53d743f33b897'
    """
    lines = (f"{file.sha256}  ".encode() + os.fsencode(file.path) + b"\n" for file in files)
    return CONTENT + hashlib.sha256(b"".join(lines)).hexdigest()


def total_bytes(files: Iterable[ContentFile]) -> int:
    """Return the number of bytes of files."""
    return sum(file.bytes for file in files)


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the path of each file within the data set, and on this machine."""
    if not path.is_dir():
        yield path.name, path
        return
    seen: set[str] = set()  # folders, so that links in a circle end
    for here, folders, names in os.walk(path, followlinks=True, onerror=_raise):
        real = os.path.realpath(here)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        for name in names:
            file = Path(here, name)
            yield file.relative_to(path).as_posix(), file


def _is_content(name: str, path: Path) -> bool:
    """Return whether a file of a folder belongs to its content; pipes, and links that lead nowhere, never do.

    A structure whose name does not say so is recognised by its first characters, as where it is read.
    """
    is_file = os.path.isfile(path)  # noqa: PTH113 - what cannot be asked is no file
    return is_file and (belongs(name) or is_structure_file(path))


def _hashed(name: str, path: Path) -> ContentFile:
    try:
        is_file = path.is_file()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not is_file and not os.path.lexists(path):
        raise DataError(f"There is no '{path}'.", why="It is neither a file nor a folder.", fix="Check the path.")
    if not is_file:
        raise DataError(
            f"'{path}' is no regular file.",
            why="Pipes, devices and links that lead nowhere have no content.",
            fix="Remove it from the data set.",
        )
    try:
        return ContentFile(path=name, bytes=path.stat().st_size, sha256=sha256_of(path))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _raise(error: OSError) -> None:
    raise _unreadable(Path(error.filename), error)


def _unreadable(path: Path, error: OSError | ValueError) -> DataError:
    why = getattr(error, "strerror", None) or getattr(error, "why", "") or str(error)
    return DataError(f"'{path}' cannot be read.", why=f"{why.rstrip('.')}.", fix="Check its permissions.")
