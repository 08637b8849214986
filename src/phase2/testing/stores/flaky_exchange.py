"""One request forwarded to a server and its response forwarded back, whole or damaged."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import BinaryIO

from phase2.testing.stores.faults import Fault
from phase2.testing.stores.http_wire import Cut, Head, Piece, cut_at, error_response, flip_at, read_body, read_head

SILENCE = 60.0  # timeout of a silent connection, seconds
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of zero seconds: close() sends RST


class Reset(Exception):  # noqa: N818  (ends a connection as Cut does, but with a reset)
    """The client's connection ends with a reset."""


class Exchange:
    """A request on a client's connection; the methods raise ``Cut`` or ``Reset`` to end that connection.

    Args:
        client: The connection.
        stream: Its read stream, positioned at the request's body.
        request: Header of the request.
    """

    def __init__(self, client: socket.socket, stream: BinaryIO, request: Head) -> None:
        self._client = client
        self._stream = stream
        self._request = request

    def refuse(self, status: int, code: str) -> None:
        """Respond with an error; the server never receives the request."""
        if self._expects_continue:
            # A client that is refused before it sent the body does not send it.
            self._client.sendall(error_response(status, code, with_body=True))
            raise Cut
        for _ in read_body(self._stream, self._request):
            pass
        self._client.sendall(error_response(status, code, with_body=self._request.line[0] != "HEAD"))

    def forward(self, server: tuple[str, int], fault: Fault | None, place: float, flipped: Callable[[], None]) -> None:
        """Forward the request to the server and its response to the client.

        Args:
            server: Host and port.
            fault: Fault to inject into the request or the response.
            place: Its position in their bytes, from 0 to 1.
            flipped: Callback called when a bit of the response's content is flipped.
        """
        if self._expects_continue:
            self._client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        with socket.create_connection(server, timeout=SILENCE) as upstream, upstream.makefile("rb") as answers:
            whole = self._send_up(upstream, fault, place)
            answer = _final_head(answers)
            body = self._body_of(answers, answer)
            if fault is Fault.LOSE:
                for _ in body:
                    pass
                raise Cut
            if fault is Fault.FLIP_DOWN and answer.length and "etag" in answer.fields:
                flipped()
                body = flip_at(body, int(place * answer.length))
            self._send_down(answer, body, fault, place)
        if not whole or answer.ends_connection or self._request.ends_connection:
            raise Cut

    @property
    def _expects_continue(self) -> bool:
        return self._request.fields.get("expect", "").lower() == "100-continue"

    def _send_up(self, upstream: socket.socket, fault: Fault | None, place: float) -> bool:
        """Send the request; return whether the server read all of it (it may respond and close before that)."""
        at = int(place * (self._request.length or 0))
        body = read_body(self._stream, self._request)
        if fault is Fault.FLIP_UP:
            body = flip_at(body, at)
        elif fault is Fault.RESET_UP:
            body = cut_at(body, at)
        whole = _sent(upstream, self._request.raw)
        try:
            for piece in body:
                whole = whole and _sent(upstream, piece.data)
        except Cut:
            end_with_reset(upstream)
            raise Reset from None
        return whole

    def _send_down(self, answer: Head, body: Iterator[Piece], fault: Fault | None, place: float) -> None:
        end = {Fault.TRUNCATE: Cut, Fault.RESET_DOWN: Reset}.get(fault) if fault else None
        if end is None:
            first = answer.raw
            for piece in body:
                self._client.sendall(first + piece.data)
                first = b""
            self._client.sendall(first)
            return
        whole = answer.raw + b"".join(piece.data for piece in body)
        # Cut within the content where there is any: there it is hardest to detect.
        start = len(answer.raw) if len(whole) > len(answer.raw) else 0
        self._client.sendall(whole[: start + int(place * (len(whole) - start))])
        raise end

    def _body_of(self, answers: BinaryIO, answer: Head) -> Iterator[Piece]:
        if self._request.line[0] == "HEAD" or answer.line[1] in {"204", "304"}:
            return iter(())
        return read_body(answers, answer, until_close=True)


def end_with_reset(connection: socket.socket) -> None:
    """Make closing a connection reset it."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _sent(upstream: socket.socket, data: bytes) -> bool:
    try:
        upstream.sendall(data)
    except OSError:
        return False
    return True


def _final_head(answers: BinaryIO) -> Head:
    """Read the header of the final response, after any interim ones."""
    while (head := read_head(answers)) is not None:
        if not head.line[1].startswith("1"):
            return head
    raise Cut
