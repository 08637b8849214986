"""Streams that end, break and are reopened; logs that are read once although the connection breaks."""

from collections.abc import Iterator

import pytest
from tests.cluster.support.api_server import Answer, serving

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.connection import Connection
from phase2.cluster.api.errors import WatchExpiredError
from phase2.cluster.api.logs import LogReader
from phase2.cluster.api.streams import Streams
from phase2.cluster.backends.registry import CLUSTER_BACKENDS
from phase2.errors import RequestError, TransientError

TIMEOUT = 5.0


def take(streams, count):
    """Return a number of results, with None for trouble."""
    return [streams.next(TIMEOUT) for _ in range(count)]


def test_a_stream_that_ends_is_reopened_on_request():
    rounds = iter([["a", "b"], ["c"]])
    left = [True, False]
    streams: Streams[str] = Streams(on_trouble=pytest.fail)
    streams.start(lambda: iter(next(rounds)), again=lambda: left.pop(0))
    assert take(streams, 3) == ["a", "b", "c"]
    assert streams.is_quiet


def test_a_broken_stream_is_reopened_and_the_trouble_reported():
    troubles: list[str] = []
    attempts: Iterator[Exception | list[str]] = iter(
        [TransientError("Down.", why="The server restarts."), WatchExpiredError("Old."), ["a"]]
    )

    def read():
        attempt = next(attempts)
        if isinstance(attempt, Exception):
            raise attempt
        yield from attempt

    streams: Streams[str] = Streams(on_trouble=troubles.append)
    streams.start(read, again=lambda: False)
    assert take(streams, 2) == [None, "a"]
    assert troubles == ["The server restarts."]


@pytest.mark.parametrize("error", [RequestError("Forbidden."), ValueError("a defect")])
def test_a_permanent_error_is_raised_by_next(error):
    def read():
        yield "a"
        raise error

    streams: Streams[str] = Streams(on_trouble=pytest.fail)
    streams.start(read, again=lambda: True)
    assert streams.next(TIMEOUT) == "a"
    with pytest.raises(type(error), match=str(error)):
        streams.next(TIMEOUT)


def test_a_stream_is_retried_for_a_limited_time():
    def read():
        raise TransientError("Down.")
        yield

    streams: Streams[str] = Streams(on_trouble=lambda _: None, patience=0.0)
    streams.start(read, again=lambda: True)
    with pytest.raises(TransientError, match="Down"):
        take(streams, 10)


def test_each_line_of_an_interrupted_log_is_read_once(monkeypatch, tmp_path):
    whole = [f"2026-11-24T12:00:0{k // 2}.5Z line {k}" for k in range(6)]  # two lines of each moment
    pieces = [whole[:3], [*whole[2:3], *whole[3:5]], whole[4:]]
    answers = [Answer(body="".join(f"{line}\n" for line in piece).encode(), breaks_off=True) for piece in pieces]
    answers[-1].breaks_off = False
    with serving(*answers) as api:
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path)))
        reader = LogReader(RunClient(Connection.open(), "materials", CLUSTER_BACKENDS["job"]), "pod")
        lines_read: list[str] = []
        for _ in pieces[:-1]:
            with pytest.raises(TransientError):
                keep(reader.lines(), lines_read)
        keep(reader.lines(), lines_read)
    assert lines_read == [f"line {k}" for k in range(6)]
    assert "sinceTime=2026-11-24T12%3A00%3A01.5Z" in api.requests[1][1]


def test_what_the_kubelet_says_in_place_of_a_log_is_no_line_of_it(monkeypatch, tmp_path):
    answers = [
        Answer(body=b"2026-11-24T12:00:01.5Z one\nunable to retrieve container logs for containerd://0123\n"),
        Answer(body=b"2026-11-24T12:00:01.5Z one\n2026-11-24T12:00:02Z two\n"),
    ]
    with serving(*answers) as api:
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path)))
        reader = LogReader(RunClient(Connection.open(), "materials", CLUSTER_BACKENDS["job"]), "pod")
        assert [list(reader.lines()), list(reader.lines())] == [["one"], ["two"]]
    assert "sinceTime=2026-11-24T12%3A00%3A01.5Z" in api.requests[1][1]


def keep(lines, lines_read):
    """Append each line as it arrives, including those before a stream breaks."""
    for line in lines:
        lines_read.append(line)
