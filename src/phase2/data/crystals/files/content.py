"""Content of a file, wherever it stands: on the disk, compressed, or in an archive."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO, TypeAlias

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.files.compressed import BUFFER, READ_ERRORS, bare_name, decompressed, unreadable
from phase2.data.crystals.formats.recognition import HEAD
from phase2.data.crystals.formats.text import decode_text
from phase2.errors import DataError, Phase2Error

Record: TypeAlias = tuple[str | None, object]
"""Name of a record in its file, None without one, and the record: a mapping, or ``Unreadable``."""


@dataclass(frozen=True, slots=True)
class Content:
    """Content of a file.

    Attributes:
        subject: The file in messages: its path, and its name in an archive.
        name: Its name without the suffix of a compression, in lower case.
        stream: The decompressed content.
        path: Its path, where it stands on the disk without compression; None otherwise.
    """

    subject: str
    name: str
    stream: IO[bytes]
    path: Path | None = None

    def text(self, limits: ReadingLimits) -> str:
        """Read the whole text, which is that of one structure.

        Raises:
            DataError: It cannot be read, or is binary.
            LimitExceededError: It is larger than ``file_bytes``.
        """
        try:
            size = self.path.stat().st_size if self.path is not None else 0
            if size > limits.file_bytes:
                raise limits.exceeded("file_bytes", self.subject, f"it has {size:,} bytes")
            content = self.stream.read(limits.file_bytes + 1)
        except Phase2Error:
            raise
        except READ_ERRORS as error:
            raise unreadable(Path(self.subject), error) from error
        if len(content) > limits.file_bytes:
            raise limits.exceeded("file_bytes", self.subject, "it has more bytes")
        return decode_text(content, self.subject)

    def head(self) -> str:
        """Return the first characters without consuming them; "" of a binary file."""
        peek = getattr(self.stream, "peek", None)
        first: bytes = peek(HEAD)[:HEAD] if peek is not None else b""
        return "" if b"\0" in first else first.decode("latin-1")

    @contextmanager
    def lines(self) -> Iterator[TextIO]:
        """Read the content as a stream of text in UTF-8."""
        text = io.TextIOWrapper(self.stream, encoding="utf-8-sig")
        try:
            yield text
        finally:
            text.detach()  # who opened the stream closes it


@contextmanager
def open_content(path: Path, limits: ReadingLimits) -> Iterator[Content]:
    """Open a regular file, decompressing it according to its first bytes.

    Raises:
        DataError: It cannot be read.
    """
    with ExitStack() as stack:
        try:
            if path.exists() and not path.is_file() and not path.is_dir():
                raise DataError(
                    f"{path} is no regular file.", why="Pipes and devices are not read.", fix="Copy its content."
                )
            file: IO[bytes] = stack.enter_context(path.open("rb", buffering=BUFFER))
            stream = decompressed(file, path, limits, stack)
        except Phase2Error:
            raise
        except (*READ_ERRORS, ValueError) as error:
            raise unreadable(path, error) from error
        yield Content(str(path), bare_name(path.name), stream, path if stream is file else None)
