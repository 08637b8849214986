"""Records of files that a library reads: in a process of their own, whose time and memory are limited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from phase2.config.limits import ReadingLimits
from phase2.data.reading import process_error, reading_error, work_limits
from phase2.machine.worker import Worker, WorkerEndedError

_BATCH = 512
"""Records that pass from one process to the other together."""

Record = TypeVar("Record")


@dataclass(slots=True)
class _ReadRecords(Generic[Record]):
    """Work of a reader process: the next records of a file, again and again."""

    read: Callable[[], Iterator[Record]]
    _records: Iterator[Record] | None = field(default=None)

    def prepare(self) -> None:
        """Do nothing: the libraries depend on the file."""

    def run(self, items: Sequence[int], begin: Callable[[], None]) -> list[Record]:
        """Return as many of the next records as the items say; none at the end."""
        begin()
        if self._records is None:
            self._records = self.read()
        return list(islice(self._records, sum(items)))


def isolated_records(path: Path, read: Callable[[], Iterator[Record]], limits: ReadingLimits) -> Iterator[Record]:
    """Yield the records of a file that another process reads.

    Args:
        path: The file, for errors.
        read: Function that yields the records where it is called; it is pickled.
        limits: Limits of reading.

    Raises:
        DataError: The file cannot be read.
        LimitExceededError: Reading it takes too much time or memory, or ends the process.
    """
    worker = Worker[int, list[Record]](_ReadRecords(read), work_limits(limits, 1))
    try:
        while records := worker.run([_BATCH]):
            yield from records
    except WorkerEndedError as ended:
        if ended.by_item:
            raise reading_error(str(path), ended, limits) from None
        raise process_error(ended) from None
    finally:
        worker.stop()
        worker.close()
