"""Processes of one run that watch each other: one that cannot be reached is found, one that ends is not reported."""

import os
import shutil
import socket
import subprocess
import sys
import threading

import pytest

from phase2.errors import DataError, TransientError
from phase2.training.parallel import watch as watching
from phase2.training.parallel.watch import PeerWatch

ALONE = """
import fcntl, socket, struct, time
from threading import Event
from phase2.training.parallel import watch as watching

def loopback(flags):
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", flags))  # SIOCSIFFLAGS

loopback(1)
watching._KEEPALIVE = {"TCP_KEEPIDLE": 1, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 2}
found = {name: Event() for name in ("the first", "the other")}
errors = {}

def lost(name):
    def report(error):
        errors[name] = error
        found[name].set()
    return report

first, other = (watching.PeerWatch(lost(name)) for name in found)
other.connect("127.0.0.1", first.listen(2))
while len(first._sockets) < 2:
    time.sleep(0.01)
loopback(0)
for name, event in found.items():
    assert event.wait(60), name
    print(type(errors[name]).__name__, errors[name].exit_code, errors[name])
"""
"""Both ends in a network namespace of their own, whose only interface is then taken down."""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare")
def test_both_ends_find_out_that_the_network_is_gone():
    words = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no network namespaces")
    done = subprocess.run([*words, sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr
    for line in lines:
        assert line.startswith("TransientError 75 Another process of this run cannot be reached.")


@pytest.fixture
def pair():
    """Both ends, connected, and the errors that they have reported."""
    errors: list[TransientError] = []
    first, other = PeerWatch(errors.append), PeerWatch(errors.append)
    given = first.listen(2)
    yield first, other, given, errors
    first.close()
    other.close()


FIRST = """
import sys
from phase2.training.parallel.watch import PeerWatch
print(PeerWatch(print).listen(2).hex(), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("end", [subprocess.Popen.kill, lambda process: process.stdin.close()], ids=["killed", "ended"])
def test_a_process_that_ends_is_not_reported(end):
    errors: list[TransientError] = []
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", FIRST], stdin=pipe, stdout=pipe, text=True) as process:
        given, before = bytes.fromhex(process.stdout.readline()), set(threading.enumerate())
        PeerWatch(errors.append).connect("127.0.0.1", given)
        (reader,) = set(threading.enumerate()) - before
        end(process)
        reader.join(60)
    assert not reader.is_alive()
    assert errors == []


def test_a_stranger_is_not_watched(pair):
    _, other, given, errors = pair
    port = int(given[watching._TOKEN_BYTES :])
    with socket.create_connection(("127.0.0.1", port)) as stranger:
        stranger.sendall(b"x" * watching._TOKEN_BYTES)
        assert stranger.recv(1) == b""  # it is sent away
    other.connect("127.0.0.1", given)
    assert errors == []


def test_a_first_process_that_has_gone_is_named_at_once(pair):
    first, other, given, _ = pair
    first.close()
    with pytest.raises(TransientError, match="cannot be reached"):
        other.connect("127.0.0.1", given)


def test_the_first_process_learns_why_another_ended(pair):
    first, other, given, errors = pair
    other.connect("127.0.0.1", given)
    other.tell(DataError("The file is damaged.", why="It ends early.", fix="Copy it again."))
    other.close()
    told = first.told()
    assert isinstance(told, DataError)
    assert (str(told), told.exit_code) == ("The file is damaged. It ends early. Copy it again.", 3)
    assert errors == []


@pytest.mark.parametrize(
    "said", [b"", b"[1]", b"{", b'{"kind": "os", "what": 1}'], ids=["nothing", "a list", "half", "1"]
)
def test_what_is_no_error_tells_nothing(pair, said):
    first, other, given, _ = pair
    other.connect("127.0.0.1", given)
    for each in other._sockets:
        each.sendall(said)
    other.close()
    assert first.told() is None
