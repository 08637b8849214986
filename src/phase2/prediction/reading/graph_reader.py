"""Reading structures into graphs, files in processes of their own whose time and memory are limited."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.config.schema import GraphSpec
from phase2.data.crystals.readers import load_parsers, may_hold_many
from phase2.data.crystals.shown import cut
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import pack
from phase2.data.reading import process_error, reading_error, work_limits
from phase2.errors import DataError
from phase2.machine.worker import Worker, WorkerEndedError, run_each
from phase2.prediction.reading.file_records import FileRecord, named_records
from phase2.prediction.reading.inputs import crystal_of, name_of
from phase2.prediction.reading.reader_pool import ReaderPool, most_readers
from phase2.prediction.table import PredictedStructure

if TYPE_CHECKING:
    from phase2.prediction.reading.inputs import StructureLike


@dataclass(frozen=True, slots=True, eq=False)
class ReadGraph:
    """Graph of a structure.

    Attributes:
        graph: The graph of the one crystal.
        remarks: What was assumed or left out in reading it.
    """

    graph: PackedGraphs
    remarks: tuple[str, ...] = ()


ReadStructure: TypeAlias = ReadGraph | PredictedStructure
"""The graph of a structure, or a row that says why it has none."""


@dataclass(frozen=True, slots=True)
class _File:
    """File to read.

    Attributes:
        path: Its path, or a record of a file of many.
        name: Its name in the table.
        spec: Graph to build.
    """

    path: str | os.PathLike[str] | FileRecord
    name: str
    spec: GraphSpec


@dataclass(frozen=True, slots=True)
class _Item:
    """Structure to read, or the row that says why it cannot be.

    Attributes:
        structure: A path, a structure in memory, a record of a file, or that row.
        name: Its name in the table.
    """

    structure: StructureLike | PredictedStructure
    name: str


@dataclass(frozen=True, slots=True)
class _ReadFiles:
    """Work of a reader process."""

    limits: ReadingLimits

    def prepare(self) -> None:
        load_parsers()

    def run(self, items: Sequence[_File], begin: Callable[[], None]) -> list[ReadStructure]:
        read = []
        for item in items:
            begin()
            path = item.path if isinstance(item.path, FileRecord) else Path(item.path)
            read.append(read_graph(path, item.name, item.spec, self.limits))
        return read


class GraphReader:
    """Reader of structures, with processes for the files.

    The first is started when the first file is read, and another one whenever the caller has to wait for what is read.
    Use it as a context manager, which ends them.

    Args:
        limits: Limits of reading.
        workers: Most processes; if None one per core and at most 32, fewer where a container has no memory for so many.
    """

    def __init__(self, limits: ReadingLimits = DEFAULT_LIMITS, *, workers: int | None = None) -> None:
        self.limits = limits
        self._most = most_readers(limits) if workers is None else workers
        self._pool = ReaderPool(lambda: Worker(_ReadFiles(limits), work_limits(limits, self._most)), self._most)
        self._here = threading.Lock()  # of packing in this process, which threads would only slow

    def __enter__(self) -> GraphReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.stop()
        self._pool.close()

    def start(self) -> None:
        """Start a process, unless one was; it gets ready while this one goes on."""
        self._pool.begin()

    def batches(
        self, structures: Sequence[StructureLike], spec: GraphSpec, size: int
    ) -> Generator[tuple[list[str], list[ReadStructure]], None, None]:
        """Yield names and content of batches of structures; the next are read while the caller works on one.

        A file that holds several structures gives a row for each of them, called ``file#name``.

        Args:
            structures: Paths of structure files, or structures in memory, which this process packs.
            spec: Graphs to build.
            size: Structures per batch.

        Raises:
            TransientError: A process was killed.
        """
        items = self._items(structures)
        with ThreadPoolExecutor(self._most) as threads:
            pending: deque[tuple[list[str], Future[list[ReadStructure]]]] = deque()
            finished, is_first = False, True  # the first waits for the process to start
            try:
                while True:
                    while len(pending) <= self._pool.allowed and (part := list(islice(items, size))):
                        pending.append(([one.name for one in part], threads.submit(self._read, part, spec)))
                    if not pending:
                        break
                    names, read = pending.popleft()
                    if not is_first and not read.done():
                        self._pool.grow()
                    is_first = False
                    yield names, read.result()
                finished = True
            finally:
                items.close()
                if not finished:  # the caller has failed or gives up
                    self._pool.stop()

    def _items(self, structures: Sequence[StructureLike]) -> Generator[_Item, None, None]:
        for index, structure in enumerate(structures):
            name = name_of(structure, index)
            if isinstance(structure, str | os.PathLike) and may_hold_many(Path(structure)):
                try:
                    for row, record in named_records(Path(structure), name, self.limits):
                        yield _Item(record, row)
                except DataError as error:
                    yield _Item(PredictedStructure(name, "", None, error=_reason(error)), name)
            else:
                yield _Item(structure, name)

    def _read(self, items: Sequence[_Item], spec: GraphSpec) -> list[ReadStructure]:
        """Read structures, in their order; one that cannot be read becomes a row with the reason."""
        files = [
            _File(item.structure, item.name, spec)
            for item in items
            if isinstance(item.structure, str | os.PathLike | FileRecord)
        ]
        from_files = iter(self._read_files(files) if files else ())
        with self._here:
            return [
                item.structure
                if isinstance(item.structure, PredictedStructure)
                else next(from_files)
                if isinstance(item.structure, str | os.PathLike | FileRecord)
                else read_graph(item.structure, item.name, spec, self.limits)
                for item in items
            ]

    def _read_files(self, files: Sequence[_File]) -> list[ReadStructure]:
        try:
            with self._pool.worker() as worker:
                return [one for part in run_each(worker, files, self._failed) for one in part]
        except WorkerEndedError as ended:
            raise process_error(ended) from None

    def _failed(self, file: _File, ended: WorkerEndedError) -> list[ReadStructure]:
        error = reading_error(file.name, ended, self.limits)
        return [PredictedStructure(file.name, "", None, error=str(error))]


def joined(
    parts: Iterable[tuple[list[str], list[ReadStructure]]], n: int
) -> Generator[tuple[list[str], list[ReadStructure]], None, None]:
    """Join names and content of every ``n`` parts that follow each other."""
    remaining = iter(parts)
    while several := list(islice(remaining, n)):
        yield [name for names, _ in several for name in names], [one for _, read in several for one in read]


def read_graph(
    structure: StructureLike, name: str, spec: GraphSpec, limits: ReadingLimits = DEFAULT_LIMITS
) -> ReadStructure:
    """Return the graph of a structure, or a row with the reason why it has none.

    It is read in this process, where the limits of time and memory do not hold.
    """
    try:
        crystal = crystal_of(structure, name, limits)
        return ReadGraph(pack([crystal], spec), crystal.remarks)
    except (DataError, OSError) as error:
        return PredictedStructure(name, "", None, error=_reason(error))


def _reason(error: Exception) -> str:
    """Return a message on one line: file names may be no UTF-8, and messages of parsers have several lines."""
    return cut(" ".join(str(error).split()).encode(errors="backslashreplace").decode())
