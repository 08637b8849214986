"""Worker processes that pack records into graphs: in order, with bounded memory.

The workers are child processes connected by pipes. Unlike those of multiprocessing they neither fork a process with
threads nor run the caller's script again, so that building works from a notebook, a script without a main guard and
standard input; and they exit when the parent does, however it ends.
"""

from __future__ import annotations

import math
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, cast

from phase2.config.schema import GraphSpec
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import Rejection, pack_valid
from phase2.data.sources.base import LabelledCrystal, RawRecord, Source
from phase2.errors import InvalidCrystalError, Phase2Error, TransientError

SERIAL_SECONDS = 2.0
"""Seconds before workers are started: starting one takes a second, which a small data set does not repay."""

Packed = tuple[PackedGraphs, tuple[Rejection, ...]]


def pack_records(source: Source, spec: GraphSpec, records: Iterable[RawRecord]) -> Packed:
    """Parse records and pack the valid crystals; list the others with the reasons."""
    rejected: list[Rejection] = []
    graphs, unusable = pack_valid(_parsed(source, records, rejected), spec)
    return graphs, (*rejected, *unusable)


def pack_chunks(
    source: Source, spec: GraphSpec, chunks: Iterator[Sequence[RawRecord]], workers: int
) -> Generator[Packed, None, None]:
    """Pack chunks of records, in order, in this process and, if that takes long, in worker processes.

    At most two chunks per worker are in flight. Close the generator to end the workers early.

    Args:
        source: Data set that parses the records.
        spec: Cutoff and number of neighbours.
        chunks: The records.
        workers: Number of worker processes; 1 for none besides this process.

    Yields:
        The graphs of each chunk, and its rejected records.

    Raises:
        TransientError: A worker was killed, for example because memory ran out.
        Phase2Error: A worker failed.
    """
    serial_until = math.inf if workers == 1 else time.monotonic() + SERIAL_SECONDS
    while time.monotonic() < serial_until:
        chunk = next(chunks, None)
        if chunk is None:
            return
        yield pack_records(source, spec, chunk)
    yield from _pack_in_workers(source, spec, chunks, workers)


def _pack_in_workers(
    source: Source, spec: GraphSpec, chunks: Iterator[Sequence[RawRecord]], workers: int
) -> Generator[Packed, None, None]:
    pool: list[_Worker] = []
    idle: SimpleQueue[_Worker] = SimpleQueue()
    pending: deque[Future[Packed]] = deque()
    threads = ThreadPoolExecutor(workers)  # each waits for one process at a time
    try:
        for chunk in chunks:
            if len(pool) < workers:
                pool.append(_Worker(source, spec))
                idle.put(pool[-1])
            pending.append(threads.submit(_pack_in_worker, idle, chunk))
            if len(pending) >= 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for worker in pool:
            worker.kill()
        threads.shutdown(cancel_futures=True)
        for worker in pool:
            worker.close()


def serve() -> None:
    """Pack chunks from standard input until it ends: the main function of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    try:
        source, spec = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the parent
        while True:
            chunk = pickle.load(sys.stdin.buffer)  # noqa: S301
            answer: Packed | Phase2Error
            try:
                answer = pack_records(source, spec, chunk)
            except Phase2Error as error:
                answer = error
            pickle.dump(answer, answers, protocol=5)
            answers.flush()
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):
        os._exit(0)  # the parent has closed the pipes or has ended


def _parsed(source: Source, records: Iterable[RawRecord], rejected: list[Rejection]) -> Iterator[LabelledCrystal]:
    for raw in records:
        try:
            labelled = source.parse(raw)
        except InvalidCrystalError as error:
            rejected.append(Rejection(raw.id, str(error)))
        else:
            yield labelled


def _pack_in_worker(idle: SimpleQueue[_Worker], chunk: Sequence[RawRecord]) -> Packed:
    worker = idle.get()
    try:
        return worker.pack(chunk)
    finally:
        idle.put(worker)


class _Worker:
    """One child process, used by one thread at a time."""

    def __init__(self, source: Source, spec: GraphSpec) -> None:
        code = f"import sys; sys.path[:] = {sys.path!r}; from phase2.data.store.workers import serve; serve()"
        # One thread each: the parallelism is in the workers.
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, our code
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | threads
        )
        self._stdin, self._stdout = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        self._task: object = (source, spec)

    def pack(self, chunk: Sequence[RawRecord]) -> Packed:
        """Send a chunk and wait for its graphs."""
        try:
            if self._task is not None:
                pickle.dump(self._task, self._stdin, protocol=5)
                self._task = None
            pickle.dump(chunk, self._stdin, protocol=5)
            self._stdin.flush()
            answer: Packed | Phase2Error = pickle.load(self._stdout)  # noqa: S301 - written by our worker
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise _worker_error(self._process.wait()) from None
        if isinstance(answer, Phase2Error):
            raise answer
        return answer

    def kill(self) -> None:
        """Kill the process, busy or not."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Close the pipes of a process that has ended."""
        for pipe in (self._stdin, self._stdout):
            with suppress(BrokenPipeError):  # data that could no longer be sent
                pipe.close()


def _worker_error(code: int) -> Phase2Error:
    if code < 0:
        name = signal.Signals(-code).name
        return TransientError(
            f"A process that builds graphs was killed by {name}.",
            why="The system does so when memory runs out.",
            fix="Use fewer workers (--workers 1) or more memory, and start again.",
        )
    return Phase2Error(
        f"A process that builds graphs ended with exit code {code}.",
        why="Its own message is above.",
        fix="Build with --workers 1 to see where it fails.",
    )
