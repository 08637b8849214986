"""JSON files in any layout as streams of records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.files.content import Content, Record
from phase2.data.crystals.files.json_stream import is_json_lines, records_of_text
from phase2.data.crystals.formats.recognition import has_json_lines


def read_json(content: Content, limits: ReadingLimits) -> Iterator[Record]:
    """Yield the records of a JSON document or of JSON lines, which a name without a suffix leaves to the content.

    Raises:
        DataError: It is no valid JSON; the message has line and column.
    """
    lines = is_json_lines(content.name) or (not content.name.endswith(".json") and has_json_lines(content.head()))
    with content.lines() as text:
        yield from records_of_text(text, Path(content.subject), limits, lines=lines)
