"""Files whose text is one structure: CIF, POSCAR and XDATCAR, of which the last frame counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.files.content import Content, Record
from phase2.data.crystals.formats.schemas import FoundStructure


def read_as(schema: str) -> Callable[[Content, ReadingLimits], Iterator[Record]]:
    """Return the reader of files whose text is one structure, which is parsed later."""

    def read(content: Content, limits: ReadingLimits) -> Iterator[Record]:
        yield None, {"structure": FoundStructure(schema, content.text(limits))}

    return read
