"""Texts of structure files: read up to a size, and checked before a parser sees them."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Literal

from phase2.config.limits import ReadingLimits
from phase2.errors import DataError

_DIGITS = b"0123456789."
_DIGITS_OF_PAGE = 8
_AS_DIGIT = bytes(ord("0") if code in _DIGITS else ord("-") for code in range(256))
_AS_LINE = bytes(ord("\n") if code in b"\n\r" else ord("-") for code in range(256))


def decode_text(content: bytes, subject: str) -> str:
    """Decode the text of a structure file: UTF-8 or, where it is none, Latin-1.

    Args:
        content: The bytes of the file.
        subject: The file, for the message.

    Raises:
        DataError: It is binary.
    """
    if b"\0" in content:
        raise DataError(
            f"{subject} is no text file.", why="It holds zero bytes: binary, or UTF-16.", fix="Save it as UTF-8 text."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Older CIFs have authors' names in Latin-1; symbols and numbers are ASCII either way.
        return content.decode("latin-1")


def read_bytes(path: Path, limits: ReadingLimits, limit: Literal["file_bytes", "table_bytes"] = "file_bytes") -> bytes:
    """Read a regular file, and never more of it than a limit; a pipe or a device is not waited for.

    Args:
        path: The file.
        limits: Limits of reading.
        limit: The one that holds for this file.

    Raises:
        DataError: The file cannot be read, or is no regular file.
        LimitExceededError: It is larger than the limit.
    """
    most: int = getattr(limits, limit)
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            regular = stat.S_ISREG(status.st_mode)
            content = file.read(most + 1) if regular and status.st_size <= most else b""
    except (OSError, ValueError) as error:  # ValueError: a zero character in the name
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read.", why=f"{reason}.", fix="Check the path.") from error
    if not regular:
        raise DataError(f"{path} is no regular file.", why="Pipes and devices are not read.", fix="Copy its content.")
    size = max(status.st_size, len(content))
    if size > most:
        raise limits.exceeded(limit, str(path), f"it has {size:,} bytes")
    return content


def has_long_line(content: bytes, limits: ReadingLimits) -> bool:
    """Tell whether a line of a text is longer than ``line_length``, in bytes."""
    # Translated to two characters, so that the search is one of the C library: 1 GB/s, where a pattern takes 30 MB/s.
    return b"-" * (limits.line_length + 1) in content.translate(_AS_LINE)


def refuse_long_parts(text: str, subject: str, limits: ReadingLimits) -> None:
    """Refuse a text with a line or a number that is too long, before a parser takes powers of its length.

    Args:
        text: Content of a CIF or POSCAR.
        subject: The file, for the message.
        limits: Limits of reading.

    Raises:
        LimitExceededError: It has one.
    """
    content = text.encode("ascii", "replace")
    if has_long_line(content, limits):
        raise limits.exceeded("line_length", subject, "it has a longer line")
    if b"0" * (limits.number_length + 1) in content.translate(_AS_DIGIT) and _has_long_number(content, limits):
        raise limits.exceeded("number_length", subject, "it has a longer number")


def _has_long_number(content: bytes, limits: ReadingLimits) -> bool:
    """Tell numbers from the dots of a table of contents."""
    runs = re.finditer(rb"[0-9.]{%d,}" % (limits.number_length + 1), content)
    return any(len(run[0]) - run[0].count(b".") > _DIGITS_OF_PAGE for run in runs)


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
