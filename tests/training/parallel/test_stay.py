"""A process that has trained its share, and what it does when the first one ends."""

import socket
import threading
import time

import pytest

from phase2.errors import TransientError
from phase2.training.parallel import stay as staying


@pytest.fixture
def first(monkeypatch):
    """A server in the place of a first process."""
    monkeypatch.setattr(staying, "_POLL_SECONDS", 0.001)
    monkeypatch.setattr(staying, "_MINUTE", 0.003)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_it_stays_as_long_as_the_first_process_and_ends_so_that_both_start_again(first):
    host, port = first.getsockname()
    ended_at = []

    def serve():
        connection, _ = first.accept()
        time.sleep(0.3)
        ended_at.append(time.monotonic())
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(TransientError, match="before the run was closed"):
        staying.stay(host, port, lambda: False)
    thread.join()
    assert time.monotonic() >= ended_at[0]


def test_a_first_process_that_has_ended_already_is_not_waited_for(first):
    host, port = first.getsockname()
    first.close()
    with pytest.raises(TransientError, match="before the run was closed"):
        staying.stay(host, port, lambda: False)


def test_it_ends_well_once_the_run_is_closed(first):
    host, port = first.getsockname()
    first.close()
    answers = iter([False, False, True])
    staying.stay(host, port, lambda: next(answers))
    assert next(answers, None) is None
