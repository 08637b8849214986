"""Pages of an OPTIMADE server (specification 1.2, section "JSON Response Schema"): followed, retried and checked."""

from __future__ import annotations

import http.client
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from urllib.parse import urljoin, urlsplit

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.formats.json_text import BoundedDecoder
from phase2.data.crystals.shown import cut, shown
from phase2.errors import DataError, TransientError
from phase2.storage.progress import ProgressCallback

ATTEMPTS = 5
FIRST_PAUSE = 1.0
"""Seconds before the second attempt at a page; doubled for each further one."""

_TIMEOUT = 60.0
_TRANSIENT_STATUS = frozenset({408, 425, 429})
_LOGGER = logging.getLogger(__name__)


def structures_of(
    url: str, most: int, limits: ReadingLimits, progress: ProgressCallback | None = None
) -> Iterator[Mapping[str, object]]:
    """Yield the structures of a server, page by page.

    Args:
        url: Address of the first page.
        most: Structures after which it ends; a warning says how many there are.
        limits: Limits of reading, of which ``file_bytes`` holds for a page.
        progress: Callback receiving the number of structures received, and how many there are.

    Raises:
        TransientError: The server cannot be reached.
        DataError: It refuses the request, sends something else than structures, or names a page of another server.
    """
    received, seen, page = 0, set(), url
    while page:
        seen.add(page)
        response = _page(page, limits)
        data = response.get("data")
        entries = data if isinstance(data, list) else [data]
        available = _available(response)
        for entry in entries:
            if received == most:
                _LOGGER.warning("%s: only the first %d of %s structures are used", url, most, available or "more")
                return
            if not isinstance(entry, Mapping):
                raise _foreign(page, f"an entry is {shown(entry)}")
            yield entry
            received += 1
        if progress:
            progress(received, None if available is None else min(most, available))
        page = _next(response, page)
        if page in seen:
            raise _foreign(page, "it names a page again that was sent before")


def _page(url: str, limits: ReadingLimits) -> Mapping[str, object]:
    content = _fetched(url, limits)
    response = BoundedDecoder(limits).decode(content.decode("utf-8", "replace"), url)
    if not isinstance(response, Mapping):
        raise _foreign(url, f"it is {shown(response)}")
    if response.get("errors"):
        raise _refused(url, cut(str(response["errors"])))
    if "data" not in response:
        raise _foreign(url, f"it has the keys {', '.join(map(str, list(response)[:8])) or 'none'}, and no 'data'")
    return response


def _fetched(url: str, limits: ReadingLimits) -> bytes:
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(FIRST_PAUSE * 2 ** (attempt - 1))
        try:
            request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - checked
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
                content: bytes = response.read(limits.file_bytes + 1)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in _TRANSIENT_STATUS:
                raise _refused(url, f"{error.code} {error.reason}: {cut(_said(error))}") from error
            reason: Exception = error
        except (OSError, http.client.HTTPException) as error:
            reason = error
        else:
            if len(content) > limits.file_bytes:
                raise limits.exceeded("file_bytes", url, "a page is larger than that")
            return content
    raise TransientError(
        f"{url} could not be fetched: {reason}.", why=f"{ATTEMPTS} attempts in a row failed.", fix="Try again later."
    ) from reason


def _said(error: urllib.error.HTTPError) -> str:
    try:
        return " ".join(error.read(2_000).decode("utf-8", "replace").split())
    except (OSError, http.client.HTTPException):
        return ""


def _available(response: Mapping[str, object]) -> int | None:
    meta = response.get("meta")
    found = meta.get("data_returned") if isinstance(meta, Mapping) else None
    return found if type(found) is int else None


def _next(response: Mapping[str, object], page: str) -> str:
    """Return the address of the next page, "" at the end; another server is not asked."""
    links = response.get("links")
    link = links.get("next") if isinstance(links, Mapping) else None
    link = link.get("href") if isinstance(link, Mapping) else link
    if not link:
        return ""
    address = urljoin(page, str(link))
    here, there = urlsplit(page), urlsplit(address)
    if there.hostname != here.hostname or there.scheme not in ("http", "https"):
        raise _foreign(page, f"its next page is {cut(address, 200)}, of another server")
    return address


def _refused(url: str, said: str) -> DataError:
    return DataError(f"{url} refuses the request.", why=f"It says: {said}", fix="Correct the filter or the address.")


def _foreign(url: str, found: str) -> DataError:
    return DataError(
        f"{url} sends no structures of OPTIMADE.", why=f"{found[:1].upper()}{found[1:]}.", fix="Check the address."
    )
