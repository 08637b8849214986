"""Putting content into a bucket: in one request or in parts, checked on both sides."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phase2.errors import Phase2Error, RequestError
from phase2.storage.base import ObjectExistsError
from phase2.storage.disk.checksums import chunks, verify
from phase2.storage.s3.answers import DIGEST_NAME, PUT_NAME
from phase2.storage.s3.requests import Answer, Requests

MAX_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Upload:
    """One put of known content.

    Attributes:
        key: Full key in the bucket.
        source: The content.
        size: Its number of bytes.
        sha256: Hex digest that the content must have.
        conditions: ``IfNoneMatch`` where nothing may be replaced.
        mark: Random name of this put, stored beside the object: an answer that was lost is told from another's put.
    """

    key: str
    source: Path | bytes
    size: int
    sha256: str
    conditions: dict[str, str]
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def metadata(self) -> dict[str, str]:
        """What is stored beside the content."""
        return {DIGEST_NAME: self.sha256, PUT_NAME: self.mark}


def send(requests: Requests, upload: Upload) -> tuple[Answer, bool]:
    """Store the content.

    Returns:
        The server's last answer, and whether it vouches for the SHA-256 of everything that it received.

    Raises:
        ObjectExistsError: The conditions do not hold.
        ObjectDamagedError: The content does not have its digest; nothing was stored.
    """
    if upload.size <= requests.settings.part_bytes:
        return _in_one(requests, upload)
    created = requests.call("create_multipart_upload", upload.key, Metadata=upload.metadata, ChecksumAlgorithm="SHA256")
    name = created["UploadId"]
    try:
        parts = _send_parts(requests, upload, name)
        answer = _surely(requests, upload, lambda: _complete(requests, upload, name, parts))
    except BaseException:
        _abort(requests, upload.key, name)
        raise
    return answer, all("ChecksumSHA256" in part for part in parts)


def _in_one(requests: Requests, upload: Upload) -> tuple[Answer, bool]:
    with requests.room:
        return _in_one_request(requests, upload, b"".join(chunks(upload.source)))


def _in_one_request(requests: Requests, upload: Upload, content: bytes) -> tuple[Answer, bool]:
    digest = hashlib.sha256(content)
    verify(f"The content for '{upload.key}'", digest.hexdigest(), upload.sha256)
    checksum = base64.b64encode(digest.digest()).decode()
    parameters = {"Body": content, "Metadata": upload.metadata, "ChecksumSHA256": checksum, **upload.conditions}
    answer = _surely(requests, upload, lambda: requests.once("put_object", upload.key, **parameters))
    return answer, answer.get("ChecksumSHA256") == checksum


def _surely(requests: Requests, upload: Upload, act: Callable[[], Answer]) -> Answer:
    """Do what cannot be done twice: when a second try is refused, look whether the first had worked."""
    try:
        answer: Answer = requests.persist(act)
    except RequestError as error:
        if not isinstance(error, ObjectExistsError) and "NoSuchUpload" not in error.why:
            raise
        found = requests.head(upload.key)
        if found is None or found.get("Metadata", {}).get(PUT_NAME) != upload.mark:
            raise
        # Such an answer holds no checksum, so the content is read back.
        return {name: found[name] for name in ("ETag", "ResponseMetadata")}
    return answer


def _send_parts(requests: Requests, upload: Upload, name: str) -> list[dict[str, Any]]:
    """Read the file once, in order, while the parts read before are on their way; few are in memory at a time."""
    settings = requests.settings
    step = max(settings.part_bytes, -(-upload.size // MAX_PARTS))
    whole = hashlib.sha256()
    waiting: list[Future[dict[str, Any]]] = []
    with ThreadPoolExecutor(settings.workers) as pool:
        try:
            for number, content in enumerate(_parts_in_room(requests, upload, step), start=1):
                waiting.append(pool.submit(_send_part, requests, upload.key, name, number, content))
                waiting[-1].add_done_callback(lambda _: requests.room.release())
                whole.update(content)
                if any(part.done() and part.exception() for part in waiting[-2 * settings.workers :]):
                    break
            done = [part.result() for part in waiting]
        finally:
            pool.shutdown(cancel_futures=True)
    verify(f"The content for '{upload.key}'", whole.hexdigest(), upload.sha256)
    return done


def _parts_in_room(requests: Requests, upload: Upload, step: int) -> Iterator[bytes]:
    """Parts, each read when there is room for it; whoever takes one gives the room back."""
    parts = chunks(upload.source, step)
    while True:
        requests.room.acquire()
        content = b""
        try:
            content = next(parts, b"")
        finally:
            if not content:
                requests.room.release()
        if not content:
            return
        yield content


def _send_part(requests: Requests, key: str, name: str, number: int, content: bytes) -> dict[str, Any]:
    checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
    answer = requests.call("upload_part", key, UploadId=name, PartNumber=number, Body=content, ChecksumSHA256=checksum)
    vouched = {"ChecksumSHA256": checksum} if answer.get("ChecksumSHA256") == checksum else {}
    return {"PartNumber": number, "ETag": answer["ETag"], **vouched}


def _complete(requests: Requests, upload: Upload, name: str, parts: list[dict[str, Any]]) -> Answer:
    return requests.once(
        "complete_multipart_upload", upload.key, UploadId=name, MultipartUpload={"Parts": parts}, **upload.conditions
    )


def _abort(requests: Requests, key: str, name: str) -> None:
    """Free the parts; a server that cannot be reached keeps them until its own clean-up."""
    try:
        requests.once("abort_multipart_upload", key, UploadId=name)
    except Phase2Error:
        return
