"""Streams that break, end and come back; logs that are told once whatever breaks in between."""

import pytest
from tests.cluster.support.api_server import Answer, serving

from phase2.cluster.api.client import RunClient
from phase2.cluster.api.connection import Connection
from phase2.cluster.api.logs import LogReader
from phase2.cluster.api.refusals import WatchExpiredError
from phase2.cluster.api.streams import Streams
from phase2.cluster.backends import CLUSTER_BACKENDS
from phase2.errors import RequestError, TransientError

PATIENT = 5.0


def everything(streams, count):
    """So many items, with None for trouble."""
    return [streams.next(PATIENT) for _ in range(count)]


def test_a_stream_that_ends_is_taken_up_again_while_it_is_wanted():
    rounds = iter([["a", "b"], ["c"]])
    left = [True, False]
    streams = Streams(on_trouble=pytest.fail)
    streams.start(lambda: iter(next(rounds)), again=lambda: left.pop(0))
    assert everything(streams, 3) == ["a", "b", "c"]
    assert streams.is_quiet


def test_a_stream_that_breaks_is_taken_up_again_and_the_trouble_told():
    troubles = []
    attempts = iter([TransientError("Down.", why="The server restarts."), WatchExpiredError("Old."), ["a"]])

    def read():
        attempt = next(attempts)
        if isinstance(attempt, Exception):
            raise attempt
        yield from attempt

    streams = Streams(on_trouble=troubles.append)
    streams.start(read, again=lambda: False)
    assert everything(streams, 2) == [None, "a"]
    assert troubles == ["The server restarts."]


@pytest.mark.parametrize("error", [RequestError("Forbidden."), ValueError("a defect")])
def test_what_ends_a_stream_for_good_is_heard(error):
    def read():
        yield "a"
        raise error

    streams = Streams(on_trouble=pytest.fail)
    streams.start(read, again=lambda: True)
    assert streams.next(PATIENT) == "a"
    with pytest.raises(type(error), match=str(error)):
        streams.next(PATIENT)


def test_patience_ends():
    def read():
        raise TransientError("Down.")
        yield

    streams = Streams(on_trouble=lambda _: None, patience=0.0)
    streams.start(read, again=lambda: True)
    with pytest.raises(TransientError, match="Down"):
        everything(streams, 10)


def test_a_log_that_breaks_off_is_told_line_by_line_once(monkeypatch, tmp_path):
    whole = [f"2026-11-24T12:00:0{k // 2}.5Z line {k}" for k in range(6)]  # two lines of each moment
    pieces = [whole[:3], [*whole[2:3], *whole[3:5]], whole[4:]]
    answers = [Answer(body="".join(f"{line}\n" for line in piece).encode(), breaks_off=True) for piece in pieces]
    answers[-1].breaks_off = False
    with serving(*answers) as api:
        monkeypatch.setenv("KUBECONFIG", str(api.kubeconfig(tmp_path)))
        reader = LogReader(RunClient(Connection.open(), "materials", CLUSTER_BACKENDS["job"]), "pod")
        told = []
        for _ in pieces[:-1]:
            with pytest.raises(TransientError):
                keep(reader.lines(), told)
        keep(reader.lines(), told)
    assert told == [f"line {k}" for k in range(6)]
    assert "sinceTime=2026-11-24T12%3A00%3A01.5Z" in api.requests[1][1]


def keep(lines, told):
    """Keep each line as it comes, also those before a stream breaks."""
    for line in lines:
        told.append(line)
