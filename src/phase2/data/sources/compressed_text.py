"""Text files, uncompressed or compressed by gzip or zip."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TextIO, cast

from phase2.errors import DataError

READ_ERRORS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, UnicodeDecodeError)


@contextmanager
def open_text(path: Path, member: str | None = None) -> Iterator[tuple[TextIO, str]]:
    """Open a text file in UTF-8, decompressing it according to its content.

    Args:
        path: The file, uncompressed or compressed by gzip or zip.
        member: Name of the file within a zip archive; by default it has to be the only JSON file.

    Yields:
        The text, and the name of the uncompressed file.

    Raises:
        DataError: The file cannot be read, or the archive has no or several JSON files.
    """
    with ExitStack() as stack:
        try:
            binary: IO[bytes] = stack.enter_context(path.open("rb"))
            magic, name = binary.read(4), path.name
            binary.seek(0)
            if magic[:2] == b"\x1f\x8b":
                binary = cast("IO[bytes]", stack.enter_context(gzip.open(binary)))
            elif magic == b"PK\x03\x04":
                archive = stack.enter_context(zipfile.ZipFile(binary))
                name = _member(path, archive.namelist(), member)
                binary = stack.enter_context(archive.open(name))
        except READ_ERRORS as error:
            raise unreadable(path, error) from error
        yield io.TextIOWrapper(binary, encoding="utf-8-sig"), name


def unreadable(path: Path, error: Exception) -> DataError:
    """Build the error for a file whose reading raised one of ``READ_ERRORS``."""
    if isinstance(error, UnicodeDecodeError):
        reason = f"Byte {error.object[error.start]:#04x} is no UTF-8."
    else:
        reason = f"{getattr(error, 'strerror', None) or error}."
    return DataError(
        f"{path} cannot be read.", why=reason, fix="Check the path; if the file was cut off, write it again."
    )


def _member(path: Path, names: list[str], wanted: str | None) -> str:
    candidates = [n for n in names if (n == wanted if wanted else n.lower().endswith((".json", ".jsonl", ".ndjson")))]
    if len(candidates) != 1:
        raise DataError(
            f"The archive {path} has {f'no {wanted}' if wanted else f'{len(candidates)} JSON files, expected one'}.",
            why=f"It holds: {', '.join(names[:8]) or 'nothing'}.",
            fix="Fetch it again, or give the unpacked JSON file.",
        )
    return candidates[0]
