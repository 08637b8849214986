"""Records of a large JSON file, one at a time.

``json.load`` of JARVIS's 209 MB takes gigabytes, because all records live at once. Here the text passes through a
window, and a record is freed when the next one is requested. NaN and Infinity may stand for numbers, as in those files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.data.sources.compressed_text import open_text
from phase2.data.sources.json_cursor import DamagedJsonError, JsonCursor, Unreadable


def stream_records(
    path: Path, member: str | None = None, limits: ReadingLimits = DEFAULT_LIMITS
) -> Iterator[tuple[str | None, object]]:
    """Yield the records of a JSON list, a JSON object of records, or JSON lines (``.jsonl``, ``.ndjson``).

    Args:
        path: The file, uncompressed or compressed by gzip or zip; its content decides.
        member: Name of the file within a zip archive; by default it has to be the only one.
        limits: Limits of reading.

    Yields:
        The record's key in the object (None in a list), and the record: :class:`Unreadable` for one that exceeds a
        limit, and for a damaged line of JSON lines.

    Raises:
        DataError: The file cannot be read, or is no valid JSON; the message has line and column.
    """
    with open_text(path, member, limits) as (text, name):
        cursor = JsonCursor(text, path, limits)
        yield from _lines(cursor) if is_json_lines(name) else _document(cursor)


def is_json_lines(name: str) -> bool:
    """Tell by its name whether a file holds JSON lines."""
    return name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson"))


def _document(cursor: JsonCursor) -> Iterator[tuple[str | None, object]]:
    opening = cursor.peek()
    if opening not in {"[", "{"}:
        raise cursor.error("a list of records or an object of records was expected")
    cursor.take(opening)
    closing = "]" if opening == "[" else "}"
    more = cursor.peek() != closing
    while more:
        key = _key(cursor) if opening == "{" else None
        record = cursor.value()
        if key is not None and not isinstance(record, dict | Unreadable):
            raise cursor.error(
                f"'{key}' holds no record; the top level is a list of records, or an object with a record for each id "
                "(one record per line is a .jsonl file)"
            )
        yield key, record
        more = cursor.peek() == ","
        if more:
            cursor.take(",")
    cursor.take(closing)
    if cursor.peek():
        raise cursor.error("more follows after the end (one record per line is a .jsonl file)")


def _key(cursor: JsonCursor) -> str:
    if cursor.peek() != '"':
        raise cursor.error("a name in double quotes was expected")
    key = cursor.value()
    cursor.take(":")
    if not isinstance(key, str):
        raise cursor.error("the name of the next record is too long")
    return key


def _lines(cursor: JsonCursor) -> Iterator[tuple[None, object]]:
    while cursor.peek():
        line = cursor.line
        record = _line(cursor)
        yield None, record
        if cursor.peek() and cursor.line == line and not isinstance(record, Unreadable):
            raise cursor.error("one record per line was expected")


def _line(cursor: JsonCursor) -> object:
    try:
        return cursor.value()
    except DamagedJsonError as error:
        if not cursor.pass_line():  # the last line, cut off
            raise
        return Unreadable(f"{error.what} {error.why}")
