"""Bytes as lines of a pod's log, verified, and undamaged by other output between them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator

from phase2.errors import TransientError
from phase2.storage.disk.checksums import sha256_of

_DATA, _END = "phase2-data:", "phase2-end:"
# Container runtimes split longer lines than 16 KiB.
_LINE_BYTES = 6 << 10


def to_lines(content: bytes) -> Iterator[str]:
    """Yield the lines of a content; the last one has its SHA-256."""
    for start in range(0, len(content), _LINE_BYTES):
        yield _DATA + base64.b64encode(content[start : start + _LINE_BYTES]).decode()
    yield _END + sha256_of(content)


def from_lines(lines: Iterable[str]) -> bytes:
    """Return the content that :func:`to_lines` wrote, out of a log that may have other lines.

    Raises:
        TransientError: Lines are missing or damaged, as after the rotation of the log.
    """
    pieces: list[bytes] = []
    for line in lines:
        if line.startswith(_DATA):
            try:
                pieces.append(base64.b64decode(line.removeprefix(_DATA), validate=True))
            except binascii.Error:
                break
        elif line.startswith(_END):
            content = b"".join(pieces)
            if sha256_of(content) == line.removeprefix(_END).strip():
                return content
            break
    raise TransientError(
        "The log of the pod does not have all that it wrote.",
        why="The node keeps less of a log than the part of the run, or the connection broke.",
        fix="Try again; if it stays so, the nodes' containerLogMaxSize is below 10Mi.",
    )
