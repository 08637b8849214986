"""Packing records into graphs, in this process or in worker processes: in order, with bounded memory."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import NamedTuple

from phase2.config.limits import ReadingLimits
from phase2.config.schema import GraphSpec
from phase2.data.crystals.readers import load_parsers, refuse_missing_parsers
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import Rejection, Remark, pack_valid
from phase2.data.reading import process_error, reading_error, work_limits
from phase2.data.sources.base import LabelledCrystal, RawRecord, Source
from phase2.errors import InvalidCrystalError
from phase2.machine.worker import Worker, WorkerEndedError, run_each

SERIAL_SECONDS = 2.0
"""Seconds before workers are started: starting one takes a second, which a small data set does not repay."""


class Packed(NamedTuple):
    """What records became.

    Attributes:
        graphs: Graphs of the valid crystals.
        rejected: The other records.
        remarks: What was assumed in reading the valid ones.
    """

    graphs: PackedGraphs
    rejected: tuple[Rejection, ...]
    remarks: tuple[Remark, ...] = ()


def pack_records(
    source: Source, spec: GraphSpec, records: Iterable[RawRecord], begin: Callable[[], None] = lambda: None
) -> Packed:
    """Parse records and pack the valid crystals; list the others with the reasons.

    Args:
        source: Data set that parses the records.
        spec: Cutoff and number of neighbours.
        records: The records.
        begin: Callback for the beginning of each record.
    """
    rejected: list[Rejection] = []
    remarks: list[Remark] = []
    graphs, unusable = pack_valid(_parsed(source, records, rejected, remarks, begin), spec)
    unused = {one.id for one in unusable}
    return Packed(graphs, (*rejected, *unusable), tuple(one for one in remarks if one.id not in unused))


def pack_chunks(
    source: Source, spec: GraphSpec, chunks: Iterator[Sequence[RawRecord]], workers: int, limits: ReadingLimits
) -> Generator[Packed, None, None]:
    """Pack chunks of records, in order, in this process and, if that takes long, in worker processes.

    Files, which a library parses, are packed in worker processes alone, whose time and memory are limited.

    At most two chunks per worker are in flight. Close the generator to end the workers early.

    Args:
        source: Data set that parses the records.
        spec: Cutoff and number of neighbours.
        chunks: The records.
        workers: Number of worker processes; 1 for none besides this process, unless they read files.
        limits: Limits of reading.

    Yields:
        The graphs of each chunk, and its rejected records.

    Raises:
        TransientError: A worker was killed, for example because memory ran out.
        Phase2Error: A worker failed.
    """
    if not source.isolated:
        serial_until = math.inf if workers == 1 else time.monotonic() + SERIAL_SECONDS
        while time.monotonic() < serial_until:
            chunk = next(chunks, None)
            if chunk is None:
                return
            yield pack_records(source, spec, chunk)
    yield from _pack_in_workers(PackTask(source, spec), chunks, workers, limits)


@dataclass(frozen=True, slots=True)
class PackTask:
    """Work of a worker process: records become graphs.

    Attributes:
        source: Data set that parses the records.
        spec: Cutoff and number of neighbours.
    """

    source: Source
    spec: GraphSpec

    def prepare(self) -> None:
        """Import the parsers of files, if there are files to be parsed."""
        if self.source.isolated:
            load_parsers()

    def run(self, items: Sequence[RawRecord], begin: Callable[[], None]) -> Packed:
        """Pack a chunk of records."""
        return pack_records(self.source, self.spec, items, begin)


_PackWorker = Worker[RawRecord, Packed]


def _pack_in_workers(
    task: PackTask, chunks: Iterator[Sequence[RawRecord]], workers: int, limits: ReadingLimits
) -> Generator[Packed, None, None]:
    if task.source.isolated:
        refuse_missing_parsers()
    pool: list[_PackWorker] = []
    idle: SimpleQueue[_PackWorker] = SimpleQueue()
    pending: deque[Future[Packed]] = deque()
    threads = ThreadPoolExecutor(workers)  # each waits for one process at a time
    try:
        for chunk in chunks:
            if len(pool) < workers:
                pool.append(Worker(task, work_limits(limits, workers)))
                idle.put(pool[-1])
            pending.append(threads.submit(_pack_in_worker, idle, chunk, limits))
            if len(pending) >= 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for worker in pool:
            worker.stop()
        threads.shutdown(cancel_futures=True)
        for worker in pool:
            worker.close()


def _pack_in_worker(idle: SimpleQueue[_PackWorker], chunk: Sequence[RawRecord], limits: ReadingLimits) -> Packed:
    def failed(raw: RawRecord, ended: WorkerEndedError) -> Packed:
        rejection = Rejection(raw.id, str(reading_error(raw.id, ended, limits)), limit=True)
        return Packed(PackedGraphs.concatenate([]), (rejection,))

    worker = idle.get()
    try:
        parts = run_each(worker, chunk, failed)
    except WorkerEndedError as ended:
        raise process_error(ended) from None
    finally:
        idle.put(worker)
    if len(parts) == 1:
        return parts[0]
    return Packed(
        PackedGraphs.concatenate([part.graphs for part in parts]),
        tuple(one for part in parts for one in part.rejected),
        tuple(one for part in parts for one in part.remarks),
    )


def _parsed(
    source: Source,
    records: Iterable[RawRecord],
    rejected: list[Rejection],
    remarks: list[Remark],
    begin: Callable[[], None],
) -> Iterator[LabelledCrystal]:
    for raw in records:
        begin()
        try:
            labelled = source.parse(raw)
        except InvalidCrystalError as error:
            rejected.append(Rejection.of(raw.id, error))
        else:
            remarks += [Remark(raw.id, one) for one in labelled.crystal.remarks]
            yield labelled
