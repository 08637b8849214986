"""Objects of a store by their presigned addresses, which are never part of a message."""

from __future__ import annotations

import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from phase2.errors import RequestError, TransientError

_CHUNK = 256 << 10
_SECONDS = 60.0
_FIX = "Run the same command again: it resumes."


def read_from(address: str, start: int = 0, *, seconds: float = _SECONDS) -> Iterator[bytes]:
    """Yield the content behind an address, from a byte on.

    Args:
        address: Presigned address of the object.
        start: First byte.
        seconds: Longest silence of the connection, seconds.

    Raises:
        RequestError: It is no address of HTTP.
        TransientError: The server does not answer, refuses the address, or the connection breaks.
    """
    with _opened(address, start, seconds) as response:
        yield from iter(lambda: response.read(_CHUNK), b"")


def why_unreachable(address: str, *, seconds: float = 5.0) -> str | None:
    """Return why nothing can be downloaded from an address; None if it can.

    Args:
        address: Presigned address of an object.
        seconds: Time to wait for the server.
    """
    try:
        with _opened(address, 0, seconds):
            return None
    except (RequestError, TransientError) as error:
        return error.why


@contextmanager
def _opened(address: str, start: int, seconds: float) -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme not in {"http", "https"}:
        raise RequestError("The address of a file is not one of HTTP.", why=f"It begins with {parts.scheme}.")
    headers = {"Range": f"bytes={start}-"} if start else {}
    request = urllib.request.Request(address, headers=headers)  # noqa: S310 - the scheme is checked
    try:
        with urllib.request.urlopen(request, timeout=seconds, context=_trust(parts.scheme)) as response:  # noqa: S310
            if start and response.status != http.client.PARTIAL_CONTENT:
                raise TransientError(f"{host} does not resume downloads.", why="It ignores ranges.", fix=_FIX)
            yield response
    except urllib.error.HTTPError as error:
        why = f"{host} responds {error.code}" + (
            ": the address has expired, or is not the store's own." if error.code == 403 else "."
        )
        raise TransientError("The store refuses a download.", why=why, fix=_FIX) from None
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, TransientError):
            raise
        reason = getattr(error, "reason", None) or error
        why = f"{host} does not answer ({type(reason).__name__}: {reason})."
        raise TransientError("A download broke off.", why=why, fix=_FIX) from None


def _trust(scheme: str) -> ssl.SSLContext | None:
    if scheme == "http":
        return None
    return ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None)
