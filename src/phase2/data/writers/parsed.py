"""Records of a data set as crystals: files that libraries parse in a process whose time and memory are limited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.readers import load_parsers, refuse_missing_parsers
from phase2.data.crystals.shown import cut
from phase2.data.reading import process_error, reading_error, work_limits
from phase2.data.sources.base import LabelledCrystal, RawRecord, Source
from phase2.errors import InvalidCrystalError
from phase2.machine.worker import Worker, WorkerEndedError, run_each

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class Rejected:
    """Record that is no valid crystal.

    Attributes:
        id: Its name.
        reason: Why.
    """

    id: str
    reason: str


Parsed: TypeAlias = LabelledCrystal | Rejected


@dataclass(frozen=True, slots=True)
class _Parse:
    """Work of a reader process: records become crystals."""

    source: Source

    def prepare(self) -> None:
        """Import the parsers of files."""
        load_parsers()

    def run(self, items: Sequence[RawRecord], begin: Callable[[], None]) -> list[Parsed]:
        """Parse records."""
        parsed = []
        for raw in items:
            begin()
            parsed.append(_parsed(self.source, raw))
        return parsed


def parse_records(source: Source, limits: ReadingLimits) -> Iterator[Parsed]:
    """Yield the crystals of a data set in its order, and what is none with the reason.

    Raises:
        DataError: The source cannot be read.
        TransientError: The reader process was killed.
    """
    if not source.isolated:
        for raw in source.records():
            yield _parsed(source, raw)
        return

    def failed(raw: RawRecord, ended: WorkerEndedError) -> list[Parsed]:
        return [Rejected(raw.id, str(reading_error(raw.id, ended, limits)))]

    refuse_missing_parsers()
    worker = Worker[RawRecord, list[Parsed]](_Parse(source), work_limits(limits, 1))
    records = iter(source.records())
    try:
        while chunk := list(islice(records, _CHUNK)):
            for part in run_each(worker, chunk, failed):
                yield from part
    except WorkerEndedError as ended:
        raise process_error(ended) from None
    finally:
        worker.stop()
        worker.close()


def _parsed(source: Source, raw: RawRecord) -> Parsed:
    try:
        return source.parse(raw)
    except InvalidCrystalError as error:
        return Rejected(raw.id, cut(str(error)))
