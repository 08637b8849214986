"""Finding out that another process of a run can no longer be reached, where no message ever says so."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread

from phase2.errors import Phase2Error, TransientError, error_from_json, error_to_json

# A machine that lost its power or its network closes no connection, and whoever waits for its share waits for ever.
# The kernel answers these probes, also for a process that is busy or suspended: two minutes without one.
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 6}
_CONNECT_SECONDS = 30.0
_TOKEN_BYTES = 16
_LAST_WORDS_SECONDS = 5.0
_LONGEST_WORDS = 1 << 16

OnLost = Callable[[TransientError], None]


class PeerWatch:
    """Connections between the first process and each other one, over which nothing is sent but why a process ends.

    A process that ends closes its connection, which is no matter of this class: the others find out as soon as they
    need it, and can ask then whether another try would help.

    Args:
        on_lost: Receives the error, in another thread, when the other end of a connection is silent.
    """

    def __init__(self, on_lost: OnLost) -> None:
        self._on_lost = on_lost
        self._ended = Event()
        self._sockets: list[socket.socket] = []
        self._last_words: SimpleQueue[bytes] = SimpleQueue()
        self._accepting: Thread | None = None

    def listen(self, processes: int) -> bytes:
        """Wait for the others, in a thread; returns what they need to :meth:`connect`.

        Args:
            processes: Number of processes of the run.
        """
        if socket.has_dualstack_ipv6():
            server = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        else:
            server = socket.create_server(("", 0))
        token = secrets.token_bytes(_TOKEN_BYTES)
        self._sockets.append(server)
        self._accepting = self._start(lambda: self._accept(server, token, processes - 1))
        return token + str(server.getsockname()[1]).encode()

    def connect(self, address: str, given: bytes) -> None:
        """Connect to the first process, and watch it in a thread.

        Args:
            address: Its address.
            given: What the first process returned from :meth:`listen`.

        Raises:
            TransientError: It cannot be reached.
        """
        token, port = given[:_TOKEN_BYTES], int(given[_TOKEN_BYTES:])
        try:
            first = socket.create_connection((address, port), timeout=_CONNECT_SECONDS)
            first.sendall(token)
        except OSError as error:
            raise _lost(error) from error
        self._watch(first)

    def tell(self, error: Phase2Error) -> None:
        """Tell the other ends why this process ends, which another try would not cure."""
        if self._accepting is not None:
            self._accepting.join(_LAST_WORDS_SECONDS)  # those that have met this process and not connected yet
        for each in self._sockets:
            with suppress(OSError):
                each.sendall(error_to_json(error).encode())

    def told(self) -> Phase2Error | None:
        """Return what the process that ended first told; None where it told nothing, or none has ended in seconds."""
        with suppress(Empty, ValueError):
            return error_from_json(self._last_words.get(timeout=_LAST_WORDS_SECONDS))
        return None

    def close(self) -> None:
        """Stop watching; the other ends find their connections closed."""
        self._ended.set()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it
            each.close()

    def _accept(self, server: socket.socket, token: bytes, others: int) -> None:
        while others and not self._ended.is_set():
            with suppress(OSError):
                other, _ = server.accept()
                other.settimeout(_CONNECT_SECONDS)
                if secrets.compare_digest(other.recv(_TOKEN_BYTES, socket.MSG_WAITALL), token):
                    self._watch(other)
                    others -= 1
                else:
                    other.close()  # a stranger
        server.close()

    def _watch(self, other: socket.socket) -> None:
        keep_alive(other)
        self._sockets.append(other)
        self._start(lambda: self._read(other))

    def _read(self, other: socket.socket) -> None:
        said = b""
        try:
            while received := other.recv(_LONGEST_WORDS):
                said = (said + received)[:_LONGEST_WORDS]
        except ConnectionError:
            pass  # it was killed
        except OSError as error:
            if not self._ended.is_set():
                self._on_lost(_lost(error))
        self._last_words.put(said)

    def _start(self, work: Callable[[], None]) -> Thread:
        thread = Thread(target=work, daemon=True, name="peer-watch")
        thread.start()
        return thread


def keep_alive(connection: socket.socket) -> None:
    """Let reading a connection wait as long as its other end can be reached, and fail two minutes after that."""
    connection.settimeout(None)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _lost(error: OSError) -> TransientError:
    return TransientError(
        "Another process of this run cannot be reached.",
        why=f"Its machine, or the network between, does not answer: {error}.",
        fix="See what became of its machine, then run the same command with --resume.",
    )
