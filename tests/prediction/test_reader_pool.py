"""Reader processes: as many as the caller waits for, whose results are those of one."""

import threading

import pytest

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.config.schema import GraphSpec
from phase2.machine.worker import WorkerEndedError
from phase2.prediction.reading import reader_pool
from phase2.prediction.reading.graph_reader import GraphReader, ReadGraph
from phase2.prediction.reading.reader_pool import ReaderPool, most_readers


class Process:
    def __init__(self):
        self.stopped = False

    def stop(self):
        self.stopped = True

    def close(self):
        assert self.stopped


@pytest.fixture
def started():
    return []


@pytest.fixture
def pool(started):
    def start():
        started.append(Process())
        return started[-1]

    return ReaderPool(start, 3)


def test_one_process_serves_until_more_are_allowed(pool, started):
    for _ in range(2):
        with pool.worker() as worker:
            assert worker is started[0]
    pool.grow()
    with pool.worker() as one, pool.worker() as other:
        assert {id(one), id(other)} == {id(process) for process in started}
    assert len(started) == 2


def test_no_more_than_the_most_are_allowed(pool):
    pool.grow()
    assert pool.allowed == 1, "nothing is read by processes"
    pool.begin()
    for _ in range(5):
        pool.grow()
    assert pool.allowed == 3


def test_a_thread_waits_for_the_process_of_another(pool, started):
    taken = threading.Event()

    def take():
        with pool.worker():
            taken.set()

    with pool.worker():
        thread = threading.Thread(target=take)
        thread.start()
        assert not taken.wait(0.1)
    thread.join()
    assert taken.is_set()
    assert len(started) == 1


def test_stopped_processes_are_taken_no_more(pool, started):
    pool.begin()
    pool.stop()
    with pytest.raises(WorkerEndedError), pool.worker():
        pass
    pool.close()
    assert all(process.stopped for process in started)


@pytest.mark.parametrize(
    ("cores", "memory", "most"),
    [(7.5, None, 8), (7.5, 64 << 30, 8), (7.5, 9 << 30, 3), (7.5, 1 << 30, 1), (128, None, 32)],
)
def test_readers_are_as_many_as_cores_and_memory_allow(monkeypatch, cores, memory, most):
    monkeypatch.setattr(reader_pool, "available_cores", lambda: cores)
    monkeypatch.setattr(reader_pool, "memory_limit", lambda: memory)
    monkeypatch.setattr("phase2.data.reading.memory_limit", lambda: memory)
    assert most_readers(ReadingLimits(memory_bytes=2 << 30)) == most


def test_several_processes_read_what_one_reads(examples, tmp_path):
    empty = tmp_path / "empty.cif"
    empty.write_text("")
    files = [*examples, empty] * 4
    found = []
    for workers in (1, 3):
        with GraphReader(DEFAULT_LIMITS, workers=workers) as reader:
            rows = []
            for names, read in reader.batches(files, GraphSpec(), 2):
                rows += [(n, one.graph.formulas[0] if isinstance(one, ReadGraph) else one.error)
                         for n, one in zip(names, read, strict=True)]  # fmt: skip
        found.append(rows)
    assert found[0] == found[1]
    assert [name for name, _ in found[0]] == [str(path) for path in files]


def test_the_next_batch_is_read_while_the_caller_works_on_one():
    class Watched:
        """A structure of no known kind, which says when it is read."""

        def __init__(self):
            self.__dict__["read"] = threading.Event()

        def __getattr__(self, name):
            self.read.set()
            raise AttributeError(name)

    structures = [Watched() for _ in range(4)]
    with GraphReader() as reader:
        batches = reader.batches(structures, GraphSpec(), 1)
        next(batches)
        assert structures[1].read.wait(60)
        assert not structures[3].read.is_set(), "no further ahead than it has to be"
        assert len(list(batches)) == 3
