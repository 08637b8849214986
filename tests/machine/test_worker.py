"""Laws of worker processes: what ends one costs its own item, and the rest goes on in order."""

import ctypes
import os
import re
import signal
import threading
import time

import psutil
import pytest

from phase2.errors import DataError
from phase2.machine.worker import Worker, WorkerEndedError, WorkLimits, run_each

pytestmark = pytest.mark.timeout(300)  # these tests wait for other processes
LIMITS = WorkLimits(seconds=1, memory_bytes=600_000_000)


class Work:
    """Doubles numbers; a word makes the process hang, grow or end."""

    def prepare(self):
        """Nothing to import."""

    def run(self, items, begin):
        return [self._one(item, begin) for item in items]

    def _one(self, item, begin):
        begin()
        if item in DEEDS:
            return DEEDS[item]() or item * 2
        return item * 2


def refuse():
    raise DataError("refused")


def spin(seconds):
    start = time.process_time()
    while time.process_time() < start + seconds:
        pass


DEEDS = {
    "hang": lambda: spin(1_000),
    "pattern": lambda: re.match(r"(a+)+$", "a" * 60 + "b"),
    "grow": lambda: len(bytearray(2 * LIMITS.memory_bytes)),
    "crash": lambda: ctypes.string_at(0),
    "quit": lambda: os._exit(3),
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "refuse": refuse,
    "half a second": lambda: spin(0.5),
}


def failed(item, ended):
    return [f"{item}: {'memory' if ended.out_of_memory else ended.signal}"]


@pytest.fixture
def worker():
    worker = Worker(Work(), LIMITS)
    yield worker
    worker.stop()
    worker.close()


def answers(worker, items):
    return [answer for part in run_each(worker, items, failed) for answer in part]


def test_items_are_answered_in_their_order_by_one_process(worker):
    assert run_each(worker, [1, 2, 3], failed) == [[2, 4, 6]]
    assert run_each(worker, [4], failed) == [[8]]
    assert len([child for child in psutil.Process().children() if child.pid == worker._process.pid]) == 1


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("hang", "SIGPROF"),
        ("pattern", "SIGPROF"),  # where Python's own signal handlers would be asked now and then
        ("grow", "memory"),
        ("crash", "SIGSEGV"),
    ],
)
def test_what_ends_a_process_costs_its_own_item(worker, word, why):
    assert answers(worker, [1, word, 2]) == [2, f"{word}: {why}", 4]
    assert answers(worker, [word]) == [f"{word}: {why}"]
    assert answers(worker, [3]) == [6]


def test_each_item_has_the_whole_time(worker):
    items = ["half a second"] * 4
    assert answers(worker, items) == [item * 2 for item in items]


def test_the_time_between_items_counts_for_none(worker):
    assert answers(worker, [1]) == [2]
    start = time.monotonic()
    while time.monotonic() < start + 1.5:
        pass
    assert answers(worker, [2]) == [4]


@pytest.mark.parametrize(("word", "code"), [("quit", 3), ("killed", -signal.SIGKILL)])
def test_a_process_that_nothing_it_read_has_ended_is_an_error(worker, word, code):
    with pytest.raises(WorkerEndedError) as caught:
        run_each(worker, [1, word], failed)
    assert caught.value.code == code


def test_errors_of_the_work_are_raised_here(worker):
    with pytest.raises(DataError, match="refused"):
        run_each(worker, [1, "refuse"], failed)
    assert answers(worker, [1]) == [2]


def test_a_stopped_worker_stays_stopped_for_the_thread_that_uses_it(worker):
    ended = []

    def use():
        try:
            run_each(worker, ["hang"] * 50, failed)
        except WorkerEndedError as error:
            ended.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    while not worker._begun:
        time.sleep(0.01)
    worker.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert len(ended) == 1
    assert not psutil.pid_exists(worker._process.pid)
