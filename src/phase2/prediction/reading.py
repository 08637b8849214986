"""Reading structures into graphs, files in a process of their own whose time and memory are limited."""

from __future__ import annotations

import os
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
from phase2.prediction.file_records import FileRecord, named_records
from phase2.prediction.inputs import crystal_of, name_of
from phase2.prediction.table import PredictedStructure

if TYPE_CHECKING:
    from phase2.prediction.inputs import StructureLike


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
    """Reader of structures, with a process for the files that is started when the first is read.

    Use it as a context manager, which ends the process.

    Args:
        limits: Limits of reading.
    """

    def __init__(self, limits: ReadingLimits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self._worker: Worker[_File, list[ReadStructure]] | None = None

    def __enter__(self) -> GraphReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()
        if self._worker is not None:
            self._worker.close()

    def start(self) -> Worker[_File, list[ReadStructure]]:
        """Start the process, unless it was; it gets ready while this one goes on."""
        if self._worker is None:
            self._worker = Worker(_ReadFiles(self.limits), work_limits(self.limits, 1))
        return self._worker

    def batches(
        self, structures: Sequence[StructureLike], spec: GraphSpec, size: int
    ) -> Generator[tuple[list[str], list[ReadStructure]], None, None]:
        """Yield names and content of batches of structures; the next is read while the caller works on one.

        A file that holds several structures gives a row for each of them, called ``file#name``.

        Args:
            structures: Paths of structure files, or structures in memory, which this process packs.
            spec: Graphs to build.
            size: Structures per batch.

        Raises:
            TransientError: The process was killed.
        """
        items = self._items(structures)
        with ThreadPoolExecutor(1) as thread:
            pending: deque[tuple[list[str], Future[list[ReadStructure]]]] = deque()
            finished = False
            try:
                while True:
                    while len(pending) < 2 and (part := list(islice(items, size))):
                        pending.append(([one.name for one in part], thread.submit(self._read, part, spec)))
                    if not pending:
                        break
                    names, read = pending.popleft()
                    yield names, read.result()
                finished = True
            finally:
                items.close()
                if not finished:  # the caller has failed or gives up
                    self._stop()

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
        return [
            item.structure
            if isinstance(item.structure, PredictedStructure)
            else next(from_files)
            if isinstance(item.structure, str | os.PathLike | FileRecord)
            else read_graph(item.structure, item.name, spec, self.limits)
            for item in items
        ]

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.stop()

    def _read_files(self, files: Sequence[_File]) -> list[ReadStructure]:
        try:
            return [one for part in run_each(self.start(), files, self._failed) for one in part]
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
