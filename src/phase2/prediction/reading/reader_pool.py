"""Processes that read files, more of them while whoever uses what they read has to wait for it."""

from __future__ import annotations

import math
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from phase2.config.limits import ReadingLimits
from phase2.data.reading import work_limits
from phase2.machine.cgroup import memory_limit
from phase2.machine.hardware import available_cores
from phase2.machine.worker import Worker, WorkerEndedError

Item = TypeVar("Item")
Answer = TypeVar("Answer")


MOST = 32
"""Most processes unless more are asked for: each has the libraries of the formats in its memory."""


def most_readers(limits: ReadingLimits) -> int:
    """Return the most processes that read at once: one per core, as far as the memory of a container has room."""
    cores, container = min(MOST, math.ceil(available_cores())), memory_limit()
    if container is None:
        return cores
    return max(1, min(cores, container // work_limits(limits, 1).memory_bytes - 1))


class ReaderPool(Generic[Item, Answer]):
    """Worker processes, each used by one thread at a time; the first is enough until more are asked for.

    Args:
        start: Starts a process.
        most: Most processes.

    Attributes:
        allowed: Processes that may be started now.
    """

    def __init__(self, start: Callable[[], Worker[Item, Answer]], most: int) -> None:
        self.allowed = 1
        self._start = start
        self._most = most
        self._lock = threading.Lock()
        self._workers: list[Worker[Item, Answer]] = []
        self._idle: queue.SimpleQueue[Worker[Item, Answer]] = queue.SimpleQueue()
        self._stopped = False

    def grow(self) -> None:
        """Allow one more process, if one works already and there are not the most."""
        if self._workers:
            self.allowed = min(self.allowed + 1, self._most)

    def begin(self) -> None:
        """Start the first process, unless it was; it gets ready while this one goes on."""
        with self._lock:
            if not self._workers and not self._stopped:
                self._idle.put(self._started())

    @contextmanager
    def worker(self) -> Iterator[Worker[Item, Answer]]:
        """Take a process that is idle, start one where more are allowed, or wait for one.

        Raises:
            WorkerEndedError: They were stopped.
        """
        with self._lock:
            if self._stopped:
                raise WorkerEndedError(-signal.SIGKILL)
            starts = self._idle.empty() and len(self._workers) < self.allowed
            taken = self._started() if starts else None
        taken = taken or self._idle.get()
        try:
            yield taken
        finally:
            self._idle.put(taken)

    def stop(self) -> None:
        """Kill the processes, busy or not, for good."""
        with self._lock:
            self._stopped = True
            for worker in self._workers:
                worker.stop()

    def close(self) -> None:
        """Close their pipes, once no thread uses them."""
        for worker in self._workers:
            worker.close()

    def _started(self) -> Worker[Item, Answer]:
        worker = self._start()
        self._workers.append(worker)
        return worker
