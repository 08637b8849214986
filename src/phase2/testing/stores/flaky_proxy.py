"""An unreliable network: a proxy in front of a real S3 server that injects faults by a seeded plan.

    with minio(folder) as server, flaky(server.endpoint, Faults.mixed(0.2), seed=7) as proxy:
        store = S3Store("bucket", "", S3Settings(endpoint=proxy.endpoint, ...))
        ...             # 20 % of the requests fail in one of the ways of ``Fault``
        proxy.heal()    # no more faults from here on
        print(proxy.counts)

Signatures stay valid, since headers are forwarded as the client wrote them, host name included.
"""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import RLock, Thread
from urllib.parse import urlsplit

from phase2.testing.stores.faults import ERROR_RESPONSES, Fault, Faults
from phase2.testing.stores.flaky_exchange import SILENCE, Exchange, Reset, end_with_reset
from phase2.testing.stores.http_wire import Cut, Head, read_head

_HOST = "127.0.0.1"


class FlakyProxy:
    """A proxy on a port of this machine; created by ``flaky``.

    Attributes:
        counts: Number of injected faults, by kind.
        requests: Number of requests.
    """

    def __init__(self, server: str, faults: Faults, seed: int) -> None:
        address = urlsplit(server)
        self._server = (address.hostname or _HOST, address.port or 80)
        self._seed = seed
        self._faults, self._left = faults, faults.most
        self._refusal: tuple[int, str] | None = None
        self._lock = RLock()
        self._connections: set[socket.socket] = set()
        self.counts: Counter[Fault] = Counter()
        self.requests = 0
        self._open(0)

    @property
    def endpoint(self) -> str:
        """Address of the proxy, for clients."""
        return f"http://{_HOST}:{self._port}"

    def use(self, faults: Faults) -> None:
        """Switch to another plan; ``Faults.most`` counts from here."""
        with self._lock:
            self._faults, self._left, self._refusal = faults, faults.most, None

    def heal(self) -> None:
        """Inject no more faults."""
        self.use(Faults())

    def refuse(self, status: int, code: str) -> None:
        """Respond to every request with one S3 error, such as ``400, "ExpiredToken"``, until ``use`` or ``heal``."""
        with self._lock:
            self._refusal = (status, code)

    @contextmanager
    def unreachable(self) -> Iterator[None]:
        """Be unreachable for the duration of a block: the port is closed and open connections are reset."""
        self.close()
        try:
            yield
        finally:
            self._open(self._port)

    def close(self) -> None:
        """Stop listening and reset all connections."""
        # Only shutdown wakes the thread that blocks in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()
        with self._lock:
            for connection in self._connections:
                end_with_reset(connection)
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _open(self, port: int) -> None:
        self._listener = socket.create_server((_HOST, port), backlog=128)
        self._port: int = self._listener.getsockname()[1]
        self._acceptor = Thread(target=self._accept, args=(self._listener,), daemon=True)
        self._acceptor.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:  # closed
                return
            client.settimeout(SILENCE)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections.add(client)
            Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client.makefile("rb") as stream:
                while (request := read_head(stream)) is not None:
                    self._exchange(Exchange(client, stream, request), request)
        except Reset:
            end_with_reset(client)
        except (Cut, OSError):
            pass  # one side closed the connection, or a fault did
        finally:
            with self._lock:
                self._connections.discard(client)
            client.close()

    def _exchange(self, exchange: Exchange, request: Head) -> None:
        fault, place = self._draw(request)
        refusal = self._refusal or (ERROR_RESPONSES.get(fault) if fault else None)
        if fault is Fault.DROP:
            raise Cut
        if fault is Fault.DELAY:
            time.sleep(self._faults.delay)
        if refusal is not None:
            exchange.refuse(*refusal)
        else:
            exchange.forward(self._server, fault, place, lambda: self._count(Fault.FLIP_DOWN))

    def _draw(self, request: Head) -> tuple[Fault | None, float]:
        """Draw the fault of this request, and count it."""
        with self._lock:
            self.requests += 1
            fault, place = self._faults.draw(self._seed, self.requests)
            if fault is None or self._left == 0 or not _applies(fault, self._faults, request):
                return None, place
            if fault is not Fault.FLIP_DOWN:  # counted later, once there is content
                self._count(fault)
            return fault, place

    def _count(self, fault: Fault) -> None:
        with self._lock:
            self.counts[fault] += 1
            if self._left is not None:
                self._left -= 1


@contextmanager
def flaky(server: str, faults: Faults | None = None, *, seed: int = 0) -> Iterator[FlakyProxy]:
    """Run a proxy in front of a server for the duration of a block.

    Args:
        server: Address of the server, ``http://host:port``.
        faults: The plan; None injects no faults until ``FlakyProxy.use``.
        seed: Seed of the assignment of faults to requests, in order of arrival.
    """
    proxy = FlakyProxy(server, faults or Faults(), seed)
    try:
        yield proxy
    finally:
        proxy.close()


def _applies(fault: Fault, faults: Faults, request: Head) -> bool:
    if faults.methods and request.line[0] not in faults.methods:
        return False
    if fault in {Fault.FLIP_UP, Fault.RESET_UP}:
        return bool(request.length) or request.is_chunked
    return fault is not Fault.FLIP_DOWN or request.line[0] == "GET"
