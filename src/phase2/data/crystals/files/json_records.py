"""JSON files in any layout as streams of records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.files.content import Content, Record
from phase2.data.crystals.files.json_stream import records_of_text


def read_json(content: Content, limits: ReadingLimits) -> Iterator[Record]:
    """Yield the records of a JSON document or of JSON lines.

    Raises:
        DataError: It is no valid JSON; the message has line and column.
    """
    with content.lines() as text:
        yield from records_of_text(text, content.name, Path(content.subject), limits)
