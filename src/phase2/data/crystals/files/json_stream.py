"""Records of a large JSON file, one at a time.

``json.load`` of JARVIS's 209 MB takes gigabytes, because all records live at once. Here the text passes through a
window, and a record is freed when the next one is requested. NaN and Infinity may stand for numbers, as in those files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.crystals.files.compressed import bare_name, open_text
from phase2.data.crystals.files.json_cursor import DamagedJsonError, JsonCursor, Unreadable
from phase2.data.crystals.files.json_document import read_document


def stream_records(
    path: Path, member: str | None = None, limits: ReadingLimits = DEFAULT_LIMITS
) -> Iterator[tuple[str | None, object]]:
    """Yield the records of a JSON document in any layout, or of JSON lines (``.jsonl``, ``.ndjson``).

    Args:
        path: The file, uncompressed or compressed by gzip, bzip2, xz or zip; its content decides.
        member: Name of the file within a zip archive; by default it has to be the only one.
        limits: Limits of reading.

    Yields:
        The record's key in the object (None in a list), and the record: :class:`Unreadable` for one that exceeds a
        limit, and for a damaged line of JSON lines.

    Raises:
        DataError: The file cannot be read, or is no valid JSON; the message has line and column.
    """
    with open_text(path, member, limits) as (text, name):
        yield from records_of_text(text, path, limits, lines=is_json_lines(name))


def records_of_text(
    text: TextIO, path: Path, limits: ReadingLimits, *, lines: bool
) -> Iterator[tuple[str | None, object]]:
    """Yield the records of an open text.

    Args:
        text: The text.
        path: The file, for messages.
        limits: Limits of reading.
        lines: Whether each line is a record.
    """
    cursor = JsonCursor(text, path, limits)
    yield from _lines(cursor) if lines else read_document(cursor)


def is_json_lines(name: str) -> bool:
    """Tell by its name whether a file holds JSON lines."""
    return bare_name(name).endswith((".jsonl", ".ndjson"))


def _lines(cursor: JsonCursor) -> Iterator[tuple[None, object]]:
    more = cursor.peek()
    while more:
        line = cursor.line
        record = _line(cursor)
        yield None, record
        more = cursor.peek()
        if more and cursor.line == line and not isinstance(record, Unreadable):
            raise cursor.error("one record per line was expected")


def _line(cursor: JsonCursor) -> object:
    try:
        return cursor.value()
    except DamagedJsonError as error:
        if not cursor.pass_line():  # the last line, cut off
            raise
        return Unreadable(f"{error.what} {error.why}")
