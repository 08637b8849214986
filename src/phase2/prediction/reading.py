"""Reading structures into graphs, files in a process of their own whose time and memory are limited."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.config.schema import GraphSpec
from phase2.data.crystals.readers import load_parsers
from phase2.data.crystals.shown import cut
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import pack
from phase2.data.reading import process_error, reading_error, work_limits
from phase2.errors import DataError
from phase2.machine.worker import Worker, WorkerEndedError, run_each
from phase2.prediction.inputs import crystal_of, name_of
from phase2.prediction.table import PredictedStructure

if TYPE_CHECKING:
    from phase2.prediction.inputs import StructureLike

ReadStructure: TypeAlias = PackedGraphs | PredictedStructure
"""The graph of a structure, or a row that says why it has none."""

MOST_ATOMS = 20_000
"""Atoms that are predicted together; 64 crystals of 300 atoms have fewer."""


@dataclass(frozen=True, slots=True)
class _File:
    """File to read.

    Attributes:
        path: Its path.
        name: Its name in the table.
        spec: Graph to build.
    """

    path: str | os.PathLike[str]
    name: str
    spec: GraphSpec


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
            read.append(read_graph(Path(item.path), item.name, item.spec, self.limits))
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

    def read(self, structures: Sequence[StructureLike], names: Sequence[str], spec: GraphSpec) -> list[ReadStructure]:
        """Read structures, in their order; one that cannot be read becomes a row with the reason.

        Args:
            structures: Paths of structure files, or structures in memory, which this process packs.
            names: Their names in the table.
            spec: Graphs to build.

        Raises:
            TransientError: The process was killed.
        """
        files = [
            _File(structure, name, spec)
            for structure, name in zip(structures, names, strict=True)
            if isinstance(structure, str | os.PathLike)
        ]
        from_files = iter(self._read_files(files) if files else ())
        return [
            next(from_files)
            if isinstance(structure, str | os.PathLike)
            else read_graph(structure, name, spec, self.limits)
            for structure, name in zip(structures, names, strict=True)
        ]

    def batches(
        self, structures: Sequence[StructureLike], spec: GraphSpec, size: int
    ) -> Generator[tuple[list[str], list[ReadStructure]], None, None]:
        """Yield names and content of batches of structures; the next is read while the caller works on one.

        Args:
            structures: As for :meth:`read`.
            spec: Graphs to build.
            size: Structures per batch.
        """
        starts = range(0, len(structures), size)
        parts = [
            (part := structures[start : start + size], [name_of(one, start + k) for k, one in enumerate(part)])
            for start in starts
        ]
        with ThreadPoolExecutor(1) as thread:
            pending = deque(thread.submit(self.read, part, names, spec) for part, names in parts[:2])
            finished = False
            try:
                for k, (_, names) in enumerate(parts):
                    yield names, pending.popleft().result()
                    if k + 2 < len(parts):
                        pending.append(thread.submit(self.read, *parts[k + 2], spec))
                finished = True
            finally:
                if not finished:  # the caller has failed or gives up
                    self._stop()

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


def split_by_atoms(graphs: Sequence[PackedGraphs]) -> Generator[PackedGraphs, None, None]:
    """Concatenate graphs, in their order, into as few batches as keep below ``MOST_ATOMS``.

    A batch of large cells would need the memory of as many small crystals as they have atoms.
    """
    batch: list[PackedGraphs] = []
    atoms = 0
    for graph in graphs:
        if batch and atoms + len(graph.species) > MOST_ATOMS:
            yield PackedGraphs.concatenate(batch)
            batch, atoms = [], 0
        batch.append(graph)
        atoms += len(graph.species)
    if batch:
        yield PackedGraphs.concatenate(batch)


def read_graph(
    structure: StructureLike, name: str, spec: GraphSpec, limits: ReadingLimits = DEFAULT_LIMITS
) -> ReadStructure:
    """Return the graph of a structure, or a row with the reason why it has none.

    It is read in this process, where the limits of time and memory do not hold.
    """
    try:
        return pack([crystal_of(structure, name, limits)], spec)
    except (DataError, OSError) as error:
        # File names in the message may be no UTF-8, and messages of parsers have several lines.
        reason = " ".join(str(error).split()).encode(errors="backslashreplace").decode()
        return PredictedStructure(name, "", None, error=cut(reason))
