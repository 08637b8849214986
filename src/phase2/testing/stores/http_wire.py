"""HTTP/1.1 messages on the wire, parsed only as far as forwarding needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from typing import BinaryIO, NamedTuple

BLOCK = 1 << 16


class Cut(Exception):  # noqa: N818  (a signal within the package's tests, not a failure)
    """A message that ended early."""


class Piece(NamedTuple):
    """Bytes of a body: content, or the framing of a chunked one."""

    data: bytes
    is_content: bool


@dataclass(frozen=True, slots=True)
class Head:
    """First line and header fields of a message.

    Attributes:
        raw: All bytes, as received.
        line: The first line, split at its spaces.
        fields: Values by lower-case name.
    """

    raw: bytes
    line: tuple[str, ...]
    fields: dict[str, str]

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return "chunked" in self.fields.get("transfer-encoding", "").lower()

    @property
    def length(self) -> int | None:
        """Size of the body, bytes; None where the header does not give it."""
        text = self.fields.get("content-length")
        return None if text is None else int(text)

    @property
    def ends_connection(self) -> bool:
        """Whether this is the last message on its connection."""
        return self.fields.get("connection", "").lower() == "close"


def read_head(stream: BinaryIO) -> Head | None:
    """Read the next header on a connection; None where it was closed."""
    lines = [stream.readline()]
    while lines[-1] not in {b"\r\n", b""}:
        lines.append(stream.readline())
    if not lines[-1]:
        return None
    pairs = (line.decode("latin-1").partition(":") for line in lines[1:-1])
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return Head(b"".join(lines), tuple(lines[0].decode("latin-1").split(maxsplit=2)), fields)


def read_body(stream: BinaryIO, head: Head, *, until_close: bool = False) -> Iterator[Piece]:
    """Read the body that follows a header, as it is on the wire.

    Args:
        stream: The connection.
        head: The header, which determines the end of the body.
        until_close: Whether a body of unknown length ends with the connection, as that of a response does.

    Raises:
        Cut: The connection ended before the body.
    """
    if head.is_chunked:
        yield from _chunked(stream)
    elif head.length is not None:
        yield from _exactly(stream, head.length)
    elif until_close:
        yield from (Piece(block, is_content=True) for block in iter(lambda: stream.read(BLOCK), b""))


def cut_at(pieces: Iterator[Piece], place: int) -> Iterator[Piece]:
    """Yield pieces up to ``place`` bytes of content, then raise ``Cut``."""
    for piece in pieces:
        if piece.is_content and len(piece.data) > place:
            yield Piece(piece.data[:place], is_content=True)
            raise Cut
        yield piece
        place -= len(piece.data) if piece.is_content else 0


def flip_at(pieces: Iterator[Piece], place: int) -> Iterator[Piece]:
    """Yield pieces with one bit of the content's byte ``place`` flipped."""
    for piece in pieces:
        data = piece.data
        if piece.is_content and 0 <= place < len(data):
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        place -= len(data) if piece.is_content else 0
        yield Piece(data, piece.is_content)


def error_response(status: int, code: str, *, with_body: bool) -> bytes:
    """Make an error response of S3."""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{code}</Message></Error>'
    fields = {"Date": formatdate(usegmt=True), "Content-Type": "application/xml", "Content-Length": str(len(body))}
    lines = [f"HTTP/1.1 {status} {code}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return ("\r\n".join(lines) + (body if with_body else "")).encode()


def _chunked(stream: BinaryIO) -> Iterator[Piece]:
    while True:
        line = stream.readline()
        if not line:
            raise Cut
        yield Piece(line, is_content=False)
        size = int(line.split(b";")[0], 16)
        if not size:
            break
        yield from _exactly(stream, size)
        yield Piece(stream.readline(), is_content=False)
    for line in iter(stream.readline, b""):  # trailing fields up to an empty line
        yield Piece(line, is_content=False)
        if line == b"\r\n":
            return


def _exactly(stream: BinaryIO, size: int) -> Iterator[Piece]:
    while size:
        block = stream.read(min(BLOCK, size))
        if not block:
            raise Cut
        size -= len(block)
        yield Piece(block, is_content=True)
