"""Files of a run in parts that fit into the log of a pod. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Nodes rotate a log at 10 MiB unless told otherwise, and base64 adds a third.
PART_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of one file.

    Attributes:
        file: Index of the file.
        start: First byte.
        length: Number of bytes.
    """

    file: int
    start: int
    length: int


def part_count(sizes: Sequence[int], part_bytes: int = PART_BYTES) -> int:
    """Return the number of parts of files that are written one after the other."""
    return -(-sum(sizes) // part_bytes)


def part_spans(sizes: Sequence[int], index: int, part_bytes: int = PART_BYTES) -> list[Span]:
    """Return what a part consists of.

    Args:
        sizes: Bytes of each file.
        index: Number of the part, from 0.
        part_bytes: Bytes of each part; the last one may be smaller.
    """
    spans, begin = [], 0
    first, last = index * part_bytes, (index + 1) * part_bytes
    for file, size in enumerate(sizes):
        start, end = max(first, begin), min(last, begin + size)
        if start < end:
            spans.append(Span(file, start - begin, end - start))
        begin += size
    return spans
