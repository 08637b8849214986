"""Worker processes whose time and memory are limited: what they run may hang or grow without harm to the caller.

The workers are child processes connected by pipes. Unlike those of multiprocessing they neither fork a process with
threads nor run the caller's script again, so that they work from a notebook, a script without a main guard and standard
input; and they exit when the parent does, however it ends.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Generic, Protocol, TypeVar, cast

from phase2.errors import Phase2Error

Item = TypeVar("Item")
Answer = TypeVar("Answer")


ItemOfTask = TypeVar("ItemOfTask", contravariant=True)
AnswerOfTask = TypeVar("AnswerOfTask", covariant=True)


class Task(Protocol[ItemOfTask, AnswerOfTask]):
    """Work of a worker process on lists of items; it is pickled, as are items and answers."""

    def prepare(self) -> None:
        """Import what the work needs, whose time counts for no item."""

    def run(self, items: Sequence[ItemOfTask], begin: Callable[[], None]) -> AnswerOfTask:
        """Work on items.

        Args:
            items: The items.
            begin: Callback for the beginning of each item, which gives it the whole of the time limit.
        """


@dataclass(frozen=True, slots=True)
class WorkLimits:
    """Limits of a worker process.

    Attributes:
        seconds: Processor time for one item: however busy the machine is, an item gets the same.
        memory_bytes: Memory that the process may allocate.
    """

    seconds: float
    memory_bytes: int


class WorkerEndedError(Exception):
    """End of a worker process before its answer.

    Attributes:
        signal: Name of the signal that ended it, "" where it ran out of memory or ended by itself.
        code: Its exit code, negative for a signal; None where it ran out of memory and goes on.
    """

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code
        self.signal = signal.Signals(-code).name if code is not None and code < 0 else ""

    @property
    def by_item(self) -> bool:
        """Whether the item is to blame, rather than who or what killed the process from outside."""
        return self.out_of_memory or self.signal in _SIGNALS_OF_ITEMS

    @property
    def out_of_time(self) -> bool:
        """Whether an item took longer than the time limit."""
        return self.signal == _TIMER_SIGNAL

    @property
    def out_of_memory(self) -> bool:
        """Whether an allocation failed."""
        return self.code is None


class Worker(Generic[Item, Answer]):
    """One child process, used by one thread at a time.

    Args:
        task: Its work.
        limits: Its limits.
    """

    def __init__(self, task: Task[Item, Answer], limits: WorkLimits) -> None:
        self._task, self._limits = task, limits
        self._lock = threading.Lock()  # of the process: another thread may stop it while this one restarts it
        self._stopped = self._begun = False
        self._start()

    def run(self, items: Sequence[Item]) -> Answer:
        """Send items and wait for the answer.

        Raises:
            WorkerEndedError: The process has ended or has run out of memory; :meth:`restart` replaces it.
            Phase2Error: The task raised it.
        """
        try:
            if not self._begun:
                pickle.dump((self._task, self._limits), self._stdin, protocol=5)
                self._begun = True
            pickle.dump(items, self._stdin, protocol=5)
            self._stdin.flush()
            answer: Answer | Phase2Error | _OutOfMemory = pickle.load(self._stdout)  # noqa: S301 - by our worker
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise WorkerEndedError(self._process.wait()) from None
        if isinstance(answer, _OutOfMemory):
            raise WorkerEndedError(None)
        if isinstance(answer, Phase2Error):
            raise answer
        return answer

    def restart(self) -> None:
        """Replace the process by a new one, unless this worker was stopped."""
        with self._lock:
            if not self._stopped:
                self._end()
                self._start()

    def stop(self) -> None:
        """Kill the process, busy or not, for good."""
        with self._lock:
            self._stopped = True
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """Close the pipes of a process that was stopped, once no thread uses them."""
        for pipe in (self._stdin, self._stdout):
            with suppress(BrokenPipeError):  # data that could no longer be sent
                pipe.close()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        self.close()

    def _start(self) -> None:
        code = f"import sys; sys.path[:] = {sys.path!r}; from phase2.machine.worker import serve; serve()"
        # One thread each: the parallelism is in the workers.
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, our code
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | threads
        )
        self._stdin, self._stdout = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        self._begun = False


def run_each(
    worker: Worker[Item, Answer], items: Sequence[Item], failed: Callable[[Item, WorkerEndedError], Answer]
) -> list[Answer]:
    """Run items together and, where the process ends over them, each by itself, so that one costs itself alone.

    Args:
        worker: The process, which is replaced when it ends.
        items: The items.
        failed: Callback for the answer of an item over which the process ended.

    Returns:
        One answer for all items, or one for each of them in their order.

    Raises:
        WorkerEndedError: No item is to blame: the process was killed from outside, or could not start.
        Phase2Error: The task raised it.
    """
    if len(items) > 1:
        try:
            return [worker.run(items)]
        except WorkerEndedError as ended:
            if not ended.by_item:
                raise
            worker.restart()
    return [_run_one(worker, item, failed) for item in items]


def _run_one(worker: Worker[Item, Answer], item: Item, failed: Callable[[Item, WorkerEndedError], Answer]) -> Answer:
    try:
        return worker.run([item])
    except WorkerEndedError as ended:
        if not ended.by_item:
            raise
        worker.restart()
        return failed(item, ended)


def serve() -> None:
    """Answer lists of items from standard input until it ends: the main function of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    if hasattr(signal, _TIMER_SIGNAL):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)  # the parent may ignore it
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    try:
        task, limits = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the parent
        task.prepare()
        gc.freeze()  # items are many small objects: collections need not visit what was imported each time
        _limit_memory(limits.memory_bytes)
        while True:
            items = pickle.load(sys.stdin.buffer)  # noqa: S301
            answers.write(_answer(task, items, limits))
            answers.flush()
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):
        os._exit(0)  # the parent has closed the pipes or has ended


@dataclass(frozen=True, slots=True)
class _OutOfMemory:
    """Answer of a process that could not allocate what it needed."""


def _answer(task: Task[Item, Answer], items: Sequence[Item], limits: WorkLimits) -> bytes:
    try:
        try:
            answer: object = task.run(items, lambda: _set_timer(limits.seconds))
        except Phase2Error as error:
            answer = error
        return pickle.dumps(answer, protocol=5)
    except MemoryError:
        return pickle.dumps(_OutOfMemory(), protocol=5)
    finally:
        _set_timer(0)


_TIMER_SIGNAL = "SIGPROF"
_SIGNALS_OF_ITEMS = (_TIMER_SIGNAL, "SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL")


def _set_timer(seconds: float) -> None:
    """Let the kernel end this process after seconds of processor time, whatever it computes; 0 for never."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_memory(size: int) -> None:
    """Limit what this process allocates; on Linux alone, as other kernels do not count it."""
    if sys.platform != "linux":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
