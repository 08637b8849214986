"""Record of a check: what ``gpu-<name>.json`` holds."""

from __future__ import annotations

import re
from typing import Literal, TypeVar

from bench.gpu.record.rows import DeviceRow, Frozen, LawRow, Row

KindOfRow = TypeVar("KindOfRow", bound=Frozen)


class Section(Frozen):
    """A part of the check.

    Attributes:
        status: ``complete``, or ``failed`` with an error; the rows measured before are kept.
        seconds: Time that it took.
        budget: Time that it was given, seconds.
        error: Why it failed; "" where it did not.
    """

    name: str
    status: Literal["complete", "failed"]
    seconds: float
    budget: float
    error: str
    rows: tuple[Row, ...]


class Report(Frozen):
    """The whole check.

    Attributes:
        version: Of this format.
        time: When it began, UTC, ISO 8601.
        quick: Whether it was shortened to try the check itself; its times mean nothing then.
        start_method: How the processes of the sections were started.
        data: Name of the file of crystals.
        data_sha256: Its SHA-256, hexadecimal.
        seconds: Time of the whole check.
    """

    version: Literal[1] = 1
    time: str
    quick: bool
    start_method: str
    data: str
    data_sha256: str
    seconds: float
    sections: tuple[Section, ...]

    def rows(self, kind: type[KindOfRow]) -> list[KindOfRow]:
        """List the rows of one kind in all sections."""
        return [row for section in self.sections for row in section.rows if isinstance(row, kind)]

    @property
    def device(self) -> DeviceRow:
        """The machine."""
        return self.rows(DeviceRow)[0]

    @property
    def laws(self) -> list[LawRow]:
        """The laws that were checked."""
        return self.rows(LawRow)

    @property
    def file_name(self) -> str:
        """Name of its file: ``gpu-nvidia-h100-80gb-hbm3.json``."""
        return f"gpu-{re.sub(r'[^a-z0-9]+', '-', self.device.name.lower()).strip('-')}.json"
