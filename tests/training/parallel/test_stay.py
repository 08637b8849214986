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
    monkeypatch.setattr(staying, "_MINUTE", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_it_stays_as_long_as_the_first_process_and_ends_so_that_both_start_again(first):
    address = first.getsockname()
    ended_at = []

    def serve():
        connection, _ = first.accept()
        time.sleep(0.3)
        ended_at.append(time.monotonic())
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(TransientError, match="before the run was closed"):
        staying.stay(*address)
    thread.join()
    assert time.monotonic() >= ended_at[0]


def test_a_first_process_that_has_ended_already_is_not_waited_for(first):
    address = first.getsockname()
    first.close()
    with pytest.raises(TransientError, match="before the run was closed"):
        staying.stay(*address)
