"""Archives of structure files: zip and tar, whose members are read one after another and never unpacked to the disk."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO, Self, cast

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

_ERRORS = (*READ_ERRORS, ValueError)
_HIDDEN = ("__MACOSX/", "._")
_ENCRYPTED = 1  # bit of a member's flags, of the ZIP specification (APPNOTE 6.3.10, 4.4.4)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def is_archive(name: str) -> bool:
    """Tell by its name whether a file is an archive."""
    return name.lower().endswith(ARCHIVE_SUFFIXES)


def open_members(path: Path, limits: ReadingLimits, passed_over: list[str]) -> Iterator[tuple[str, Content]]:
    """Yield the regular files of an archive, in its order: their names, and their contents, each until the next.

    Files that macOS hides are left out. All members together may have ``unpacked_bytes``.

    Args:
        path: The archive.
        limits: Limits of reading.
        passed_over: List that the names of links and devices are added to.

    Raises:
        DataError: The archive cannot be read, is encrypted, or is cut off.
        LimitExceededError: It has too many members or, while they are read, too much content.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise DataError(f"{path} is no regular file.", why="Pipes and devices are not read.", fix="Copy its content.")
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            magic = file.read(4)
            file.seek(0)
            members = (
                _zip_members(file, path, limits, stack)
                if magic in _ZIP
                else _tar_members(file, path, limits, stack, passed_over)
            )
            for name, member in members:
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
        if info.flag_bits & _ENCRYPTED:
            raise DataError(
                f"{path} cannot be read.",
                why=f"Its file {cut(info.filename, 80)} is encrypted.",
                fix="Unpack it first.",
            )
        if not info.is_dir():
            with archive.open(info) as member:
                stream = BoundedStream(member, path, limits, left)
                yield info.filename, _buffered(stream)
                left = stream.left


class _Header(tarfile.TarInfo):
    """Header of a member; where it is damaged or missing, tarfile would take it for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Read a header.

        Raises:
            EOFHeaderError: It is the end of the archive.
            ReadError: It is no header.
        """
        try:
            return super().frombuf(buf, encoding, errors)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"it is cut off or damaged after some of its files ({error})") from error


def _tar_members(
    file: IO[bytes], path: Path, limits: ReadingLimits, stack: ExitStack, passed_over: list[str]
) -> Iterator[tuple[str, IO[bytes]]]:
    # Read as one stream: what is passed over counts against the limit of unpacked bytes too.
    content = decompressed(file, path, limits, stack)
    archive = stack.enter_context(tarfile.TarFile.open(fileobj=content, mode="r|", tarinfo=_Header))
    left = limits.unpacked_bytes
    for number, info in enumerate(archive):
        if number >= limits.archive_members:
            raise limits.exceeded("archive_members", str(path), "it has more files")
        member = archive.extractfile(info) if info.isreg() else None
        if member is not None:
            stream = BoundedStream(member, path, limits, left)
            yield info.name, _buffered(stream)
            left = stream.left
        elif not info.isdir():
            passed_over.append(info.name)
        archive.members = []  # type: ignore[attr-defined]  # tarfile keeps what it has seen
    rest = cast("IO[bytes]", archive.fileobj)
    while more := rest.read(BUFFER):
        if more.strip(b"\0"):
            raise tarfile.ReadError("more follows after its end, as where two archives were joined")


def _buffered(stream: BoundedStream) -> IO[bytes]:
    return cast("IO[bytes]", io.BufferedReader(stream, BUFFER))
