"""Downloads: resumed after an interruption, retried, and verified by their checksum."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from phase2.errors import DataError, RequestError, TransientError
from phase2.storage.disk.checksums import sha256_of
from phase2.storage.disk.links import refuse_links
from phase2.storage.disk.lock import wait_for_lock
from phase2.storage.progress import ProgressCallback

_BLOCK = 1 << 18
_TIMEOUT = 30.0
_LONGEST_BACKOFF = 60.0
# Status codes worth a retry: timeout, too early, too many requests; and every 5xx.
_TRANSIENT_STATUS = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """File on the web whose content is known beforehand.

    Attributes:
        url: Its address, http or https.
        file_name: Its name on disk.
        size: Bytes.
        sha256: Checksum, hexadecimal.
    """

    url: str
    file_name: str
    size: int
    sha256: str


def fetch(
    remote: RemoteFile,
    folder: Path,
    *,
    progress: ProgressCallback | None = None,
    attempts: int = 5,
    backoff: float = 1.0,
) -> Path:
    """Download a file into a folder, unless it is there already.

    Received bytes are kept in ``<file_name>.part``, and the next attempt requests only the rest. Of two processes that
    fetch the same file, the second waits for the first.

    Args:
        remote: The file to download.
        folder: Target folder; created if needed.
        progress: Callback receiving the bytes received and their number.
        attempts: Attempts that may fail in a row without receiving a byte.
        backoff: Seconds before the second attempt; doubled for each further one.

    Returns:
        Path of the file, verified by its checksum.

    Raises:
        TransientError: The server cannot be reached, or repeatedly closes the connection early.
        DataError: The server does not have the file, or has a different one.
        RequestError: The address is not http or https.
    """
    if not remote.url.startswith(("http://", "https://")):
        raise RequestError(f"The address {remote.url} is not http or https.", fix="Correct the address.")
    target = folder / remote.file_name
    folder.mkdir(parents=True, exist_ok=True)
    with wait_for_lock(folder / f".{remote.file_name}.lock", purpose=f"fetching {remote.file_name}"):
        if target.exists() and sha256_of(target) == remote.sha256:
            return target
        part = target.with_name(f"{target.name}.part")
        _transfer_with_retries(remote, part, progress, attempts, backoff)
        if (found := sha256_of(part)) != remote.sha256:
            part.unlink()
            raise DataError(
                f"What {remote.url} sent is not {remote.file_name}: its SHA-256 is {found}.",
                why=f"Expected {remote.sha256}. The file was changed on the server, or on the way.",
                fix=f"It was deleted. {_by_hand(remote, folder)}",
            )
        part.replace(target)
    return target


def _transfer_with_retries(
    remote: RemoteFile, part: Path, progress: ProgressCallback | None, attempts: int, backoff: float
) -> None:
    failures = 0
    while True:
        before = _size(part)
        try:
            _transfer(remote, part, progress)
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in _TRANSIENT_STATUS:
                raise _refused(remote, part.parent, error) from error
            reason: Exception = error
        except (OSError, http.client.HTTPException) as error:
            reason = error
        else:
            return
        failures = 1 if _size(part) > before else failures + 1
        if failures >= attempts:
            raise TransientError(
                f"{remote.url} could not be fetched: {reason}.",
                why=f"{attempts} attempts in a row failed; {_size(part):,} of {remote.size:,} bytes are kept.",
                fix=f"Try again later. {_by_hand(remote, part.parent)}",
            ) from reason
        time.sleep(min(backoff * 2 ** (failures - 1), _LONGEST_BACKOFF))


def _transfer(remote: RemoteFile, part: Path, progress: ProgressCallback | None) -> None:
    """Append the missing bytes to the partial file; raise ConnectionError if the server ends too early."""
    done = _size(part)
    if done >= remote.size:  # complete, or wrong: the checksum decides
        return
    request = urllib.request.Request(remote.url, headers={"Range": f"bytes={done}-"} if done else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
        if response.status == 206 and not _begins_at(response, done):
            part.unlink()
            raise ConnectionError("the server sent another range than requested")
        if response.status != 206:  # a server may ignore Range and send everything
            done = 0
        with open(part, "ab" if done else "wb", opener=refuse_links) as file:
            # One byte more than expected proves that it is a different file.
            while done <= remote.size and (block := response.read(min(_BLOCK, remote.size + 1 - done))):
                file.write(block)
                done += len(block)
                if progress:
                    progress(done, remote.size)
    if done < remote.size:
        raise ConnectionError(f"the connection ended after {done:,} of {remote.size:,} bytes")


def _begins_at(response: http.client.HTTPResponse, start: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {start}-")


def _refused(remote: RemoteFile, folder: Path, error: urllib.error.HTTPError) -> DataError:
    return DataError(
        f"{remote.url} answers {error.code} {error.reason}.",
        why="The server does not give this file out.",
        fix=_by_hand(remote, folder),
    )


def _by_hand(remote: RemoteFile, folder: Path) -> str:
    return (
        f"Or fetch {remote.file_name} ({remote.size:,} bytes, SHA-256 {remote.sha256}) in another way "
        f"and put it into {folder}."
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
