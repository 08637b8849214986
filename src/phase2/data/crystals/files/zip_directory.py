"""Directory of a zip archive: its size, read before Python makes an object of every entry."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import IO

from phase2.config.limits import ReadingLimits

# Records at the end of an archive, of the ZIP specification (APPNOTE 6.3.10, 4.3.14 and 4.3.16).
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LONGEST_COMMENT = 1 << 16

_BYTES_PER_ENTRY = 1_000
"""Bytes of the directory per file of the limit: an entry has 46, its name, and what programs add."""


def refuse_large_directory(file: IO[bytes], path: Path, limits: ReadingLimits) -> None:
    """Refuse an archive by what its end says of the directory; the position goes back to the start.

    Raises:
        LimitExceededError: It has more files than ``archive_members``, or a directory of many bytes for each.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _LONGEST_COMMENT - _END.size - _END64.size - 20))
    tail = file.read()
    file.seek(0)
    entries, length = 0, 0
    if (start := tail.rfind(b"PK\x05\x06")) >= 0 and start + _END.size <= len(tail):
        *_, entries, length, _, _ = _END.unpack_from(tail, start)
    if (start := tail.rfind(b"PK\x06\x06")) >= 0 and start + _END64.size <= len(tail):
        *_, entries, length, _ = _END64.unpack_from(tail, start)
    if entries > limits.archive_members:
        raise limits.exceeded("archive_members", str(path), f"it has {entries:,} files")
    if length > limits.archive_members * _BYTES_PER_ENTRY:
        raise limits.exceeded("archive_members", str(path), f"its directory has {length:,} bytes")
