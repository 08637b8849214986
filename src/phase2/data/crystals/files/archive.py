"""Archives of structure files: zip and tar, whose members are read one after another and never unpacked to the disk."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO, cast

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.files.compressed import (
    BUFFER,
    READ_ERRORS,
    BoundedStream,
    bare_name,
    decompressed,
    unreadable,
)
from phase2.data.crystals.files.content import Content
from phase2.data.crystals.files.zip_directory import refuse_large_directory
from phase2.data.crystals.shown import cut
from phase2.errors import DataError, Phase2Error

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")

_ERRORS = (*READ_ERRORS, tarfile.TarError, ValueError)
_HIDDEN = ("__MACOSX/", "._")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def is_archive(name: str) -> bool:
    """Tell by its name whether a file is an archive."""
    return name.lower().endswith(ARCHIVE_SUFFIXES)


def open_members(path: Path, limits: ReadingLimits) -> Iterator[tuple[str, Content]]:
    """Yield the regular files of an archive, in its order: their names, and their contents, each until the next.

    Links, devices and hidden files are passed over. All members together may have ``unpacked_bytes``.

    Raises:
        DataError: The archive cannot be read.
        LimitExceededError: It has too many members or, while they are read, too much content.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise DataError(f"{path} is no regular file.", why="Pipes and devices are not read.", fix="Copy its content.")
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            magic = file.read(4)
            file.seek(0)
            opened = _zip_members if magic in _ZIP else _tar_members
            for name, member in opened(file, path, limits, stack):
                if not any(part.startswith(_HIDDEN) for part in (name, PurePosixPath(name).name)):
                    yield from _content(name, member, path, limits)
        except Phase2Error:
            raise
        except _ERRORS as error:
            raise unreadable(path, error) from error


def _content(name: str, member: IO[bytes], path: Path, limits: ReadingLimits) -> Iterator[tuple[str, Content]]:
    shown = f"{path}: {cut(name, 200)}"
    with ExitStack() as stack:
        stream = decompressed(member, Path(shown), limits, stack)
        yield name, Content(shown, bare_name(PurePosixPath(name).name), stream)


def _zip_members(
    file: IO[bytes], path: Path, limits: ReadingLimits, stack: ExitStack
) -> Iterator[tuple[str, IO[bytes]]]:
    refuse_large_directory(file, path, limits)
    archive = stack.enter_context(zipfile.ZipFile(file))
    left = limits.unpacked_bytes
    for info in archive.infolist():
        if not info.is_dir():
            with archive.open(info) as member:
                stream = BoundedStream(member, path, limits, left)
                yield info.filename, _buffered(stream)
                left = stream.left


def _tar_members(
    file: IO[bytes], path: Path, limits: ReadingLimits, stack: ExitStack
) -> Iterator[tuple[str, IO[bytes]]]:
    # Read as one stream: what is passed over counts against the limit of unpacked bytes too.
    content = decompressed(file, path, limits, stack)
    archive = stack.enter_context(tarfile.TarFile.open(fileobj=content, mode="r|"))
    left = limits.unpacked_bytes
    for number, info in enumerate(archive):
        if number >= limits.archive_members:
            raise limits.exceeded("archive_members", str(path), "it has more files")
        member = archive.extractfile(info) if info.isreg() else None
        if member is not None:
            stream = BoundedStream(member, path, limits, left)
            yield info.name, _buffered(stream)
            left = stream.left
        archive.members = []  # type: ignore[attr-defined]  # tarfile keeps what it has seen


def _buffered(stream: BoundedStream) -> IO[bytes]:
    return cast("IO[bytes]", io.BufferedReader(stream, BUFFER))
