"""Files that may be compressed: by gzip, bzip2 or xz, or as the only JSON file of a zip archive."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TextIO, cast

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.files.zip_directory import refuse_large_directory
from phase2.errors import DataError, Phase2Error

# RuntimeError: an encrypted member of an archive, or one compressed in a way that Python does not know.
READ_ERRORS = (
    OSError,
    EOFError,
    RuntimeError,
    UnicodeDecodeError,
    lzma.LZMAError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)

COMPRESSED_SUFFIXES = (".gz", ".bz2", ".xz")

BUFFER = 1 << 18
_MAGIC: dict[bytes, Callable[[IO[bytes]], IO[bytes]]] = {
    b"\x1f\x8b": lambda file: cast("IO[bytes]", gzip.GzipFile(fileobj=file)),
    b"BZh": lambda file: cast("IO[bytes]", bz2.BZ2File(file)),
    b"\xfd7zXZ\0": lambda file: cast("IO[bytes]", lzma.LZMAFile(file)),  # noqa: SIM115 - its caller closes it
}


_LONGEST_MAGIC = 6


def bare_name(name: str) -> str:
    """Return the name of a file without the suffix of its compression, in lower case.

    >>> bare_name("NaCl.CIF.gz")
    'nacl.cif'
    """
    lowered = name.lower()
    return next((lowered.removesuffix(s) for s in COMPRESSED_SUFFIXES if lowered.endswith(s)), lowered)


def decompressed(file: IO[bytes], path: Path, limits: ReadingLimits, stack: ExitStack) -> IO[bytes]:
    """Return the content of a file, decompressed according to its first bytes, as a stream up to a limit.

    Args:
        file: The file at its start, which can be sought.
        path: Its name, for messages.
        limits: Limits of reading, of which ``unpacked_bytes`` holds for the content.
        stack: What closes the stream.

    Raises:
        LimitExceededError: Its content is larger, when it is read.
    """
    magic = _first_bytes(file)
    for first, opened in _MAGIC.items():
        if magic.startswith(first):
            return _bounded(stack.enter_context(opened(file)), path, limits)
    return file


def _first_bytes(file: IO[bytes]) -> bytes:
    if isinstance(file, io.BufferedReader) and not file.seekable():
        return file.peek(_LONGEST_MAGIC)[:_LONGEST_MAGIC]
    found = file.read(_LONGEST_MAGIC)
    file.seek(0)
    return found


@contextmanager
def open_text(
    path: Path, member: str | None = None, limits: ReadingLimits = DEFAULT_LIMITS
) -> Iterator[tuple[TextIO, str]]:
    """Open a text file in UTF-8, decompressing it according to its content.

    Args:
        path: The file, uncompressed or compressed by gzip, bzip2, xz or zip.
        member: Name of the file within a zip archive; by default it has to be the only JSON file.
        limits: Limits of reading; what is compressed is decompressed up to ``unpacked_bytes``.

    Yields:
        The text, and the name of the uncompressed file.

    Raises:
        DataError: The file cannot be read, or the archive has no or several JSON files.
        LimitExceededError: The archive has too many files or, while it is read, too much content.
    """
    with ExitStack() as stack:
        try:
            binary: IO[bytes] = stack.enter_context(path.open("rb"))
            magic, name = binary.read(4), path.name
            binary.seek(0)
            if magic == b"PK\x03\x04":
                refuse_large_directory(binary, path, limits)
                archive = stack.enter_context(zipfile.ZipFile(binary))
                name = _member(path, archive.namelist(), member)
                binary = _bounded(stack.enter_context(archive.open(name)), path, limits)
            else:
                binary = decompressed(binary, path, limits, stack)
        except Phase2Error:
            raise
        except (*READ_ERRORS, ValueError) as error:  # ValueError: impossible positions and dates in an archive
            raise unreadable(path, error) from error
        yield io.TextIOWrapper(binary, encoding="utf-8-sig"), name


def unreadable(path: Path, error: Exception) -> DataError:
    """Build the error for a file whose reading raised one of ``READ_ERRORS``."""
    if isinstance(error, UnicodeDecodeError):
        reason, fix = f"Byte {error.object[error.start]:#04x} is no UTF-8.", "Save it as UTF-8 text."
    else:
        reason = f"{getattr(error, 'strerror', None) or error}."
        fix = "Check the path; if the file was cut off, write it again."
    return DataError(f"{path} cannot be read.", why=reason, fix=fix)


class BoundedStream(io.RawIOBase):
    """Stream that raises an error instead of more than a number of bytes.

    Args:
        content: What is read.
        path: Its file, for the message.
        limits: Limits of reading.
        left: Bytes that may be read.

    Attributes:
        left: Bytes that may still be read.
    """

    def __init__(self, content: IO[bytes], path: Path, limits: ReadingLimits, left: int) -> None:
        self.left = left
        self._content = cast("io.BufferedIOBase", content)
        self._path = path
        self._limits = limits

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Read into a buffer.

        Raises:
            LimitExceededError: It has more bytes than the limit.
        """
        n = self._content.readinto(buffer)
        self.left -= n
        if self.left < 0:
            raise self._limits.exceeded("unpacked_bytes", str(self._path), "its content is larger than that")
        return n


def _bounded(content: IO[bytes], path: Path, limits: ReadingLimits) -> IO[bytes]:
    return cast("IO[bytes]", io.BufferedReader(BoundedStream(content, path, limits, limits.unpacked_bytes), BUFFER))


def _member(path: Path, names: list[str], wanted: str | None) -> str:
    candidates = [n for n in names if (n == wanted if wanted else n.lower().endswith((".json", ".jsonl", ".ndjson")))]
    if len(candidates) != 1:
        raise DataError(
            f"The archive {path} has {f'no {wanted}' if wanted else f'{len(candidates)} JSON files, expected one'}.",
            why=f"It holds: {', '.join(name[:80] for name in names[:8]) or 'nothing'}.",
            fix="Fetch it again, or give the unpacked JSON file.",
        )
    return candidates[0]
