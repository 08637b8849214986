"""Uploads to a bucket: in one request or in parts, verified on both sides."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phase2.errors import Phase2Error, RequestError
from phase2.storage.base import ObjectExistsError
from phase2.storage.disk.checksums import chunks, verify
from phase2.storage.s3.requests import Requests, Response
from phase2.storage.s3.responses import DIGEST_NAME, PUT_NAME

MAX_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload of known content.

    Attributes:
        key: Full key in the bucket.
        source: The content.
        size: Its number of bytes.
        sha256: Hex digest that the content must have.
        conditions: ``IfNoneMatch`` where no object may be replaced.
        put_id: Random id of this upload, stored as metadata: it identifies our object when a response is lost.
    """

    key: str
    source: Path | bytes
    size: int
    sha256: str
    conditions: dict[str, str]
    put_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def description(self) -> dict[str, Any]:
        """Metadata of the object, and its media type where its name says one: a browser shows pages by it."""
        kind, _ = mimetypes.guess_type(self.key)
        return {
            "Metadata": {DIGEST_NAME: self.sha256, PUT_NAME: self.put_id},
            **({"ContentType": kind} if kind else {}),
        }


def send(requests: Requests, upload: Upload) -> tuple[Response, bool]:
    """Upload the content.

    Returns:
        The server's last response, and whether it confirms the SHA-256 of everything it received.

    Raises:
        ObjectExistsError: The key is taken and the conditions forbid replacing it.
        ObjectDamagedError: The content does not have its digest; nothing was stored.
    """
    if upload.size <= requests.settings.part_bytes:
        return _put_in_slot(requests, upload)
    created = requests.call("create_multipart_upload", upload.key, **upload.description, ChecksumAlgorithm="SHA256")
    name = created["UploadId"]
    try:
        parts = _send_parts(requests, upload, name)
        response = _retry_once_only(requests, upload, lambda: _complete(requests, upload, name, parts))
    except BaseException:
        _abort(requests, upload.key, name)
        raise
    return response, all("ChecksumSHA256" in part for part in parts)


def _put_in_slot(requests: Requests, upload: Upload) -> tuple[Response, bool]:
    with requests.part_slots:
        return _put(requests, upload, b"".join(chunks(upload.source)))


def _put(requests: Requests, upload: Upload, content: bytes) -> tuple[Response, bool]:
    digest = hashlib.sha256(content)
    verify(f"The content for '{upload.key}'", digest.hexdigest(), upload.sha256)
    checksum = base64.b64encode(digest.digest()).decode()
    parameters = {"Body": content, **upload.description, "ChecksumSHA256": checksum, **upload.conditions}
    response = _retry_once_only(requests, upload, lambda: requests.call_once("put_object", upload.key, **parameters))
    return response, response.get("ChecksumSHA256") == checksum


def _retry_once_only(requests: Requests, upload: Upload, action: Callable[[], Response]) -> Response:
    """Retry a request that takes effect once: when a retry is refused, check whether an earlier attempt succeeded."""
    try:
        response: Response = requests.retry(action)
    except RequestError as error:
        if not isinstance(error, ObjectExistsError) and "NoSuchUpload" not in error.why:
            raise
        found = requests.head(upload.key)
        if found is None or found.get("Metadata", {}).get(PUT_NAME) != upload.put_id:
            raise
        # This response holds no checksum, so the content will be read back.
        return {name: found[name] for name in ("ETag", "ResponseMetadata")}
    return response


def _send_parts(requests: Requests, upload: Upload, name: str) -> list[dict[str, Any]]:
    """Upload the parts concurrently while the file is read once, in order; few parts are in memory at a time."""
    settings = requests.settings
    step = max(settings.part_bytes, -(-upload.size // MAX_PARTS))
    whole = hashlib.sha256()
    waiting: list[Future[dict[str, Any]]] = []
    with ThreadPoolExecutor(settings.workers) as pool:
        try:
            for number, content in enumerate(_parts_in_slots(requests, upload, step), start=1):
                waiting.append(pool.submit(_send_part, requests, upload.key, name, number, content))
                waiting[-1].add_done_callback(lambda _: requests.part_slots.release())
                whole.update(content)
                if any(part.done() and part.exception() for part in waiting[-2 * settings.workers :]):
                    break
            done = [part.result() for part in waiting]
        finally:
            pool.shutdown(cancel_futures=True)
    verify(f"The content for '{upload.key}'", whole.hexdigest(), upload.sha256)
    return done


def _parts_in_slots(requests: Requests, upload: Upload, step: int) -> Iterator[bytes]:
    """Yield the parts, each read once a slot is free; the consumer releases the slot."""
    parts = chunks(upload.source, step)
    while True:
        requests.part_slots.acquire()
        content = b""
        try:
            content = next(parts, b"")
        finally:
            if not content:
                requests.part_slots.release()
        if not content:
            return
        yield content


def _send_part(requests: Requests, key: str, name: str, number: int, content: bytes) -> dict[str, Any]:
    checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
    response = requests.call(
        "upload_part", key, UploadId=name, PartNumber=number, Body=content, ChecksumSHA256=checksum
    )
    confirmed = {"ChecksumSHA256": checksum} if response.get("ChecksumSHA256") == checksum else {}
    return {"PartNumber": number, "ETag": response["ETag"], **confirmed}


def _complete(requests: Requests, upload: Upload, name: str, parts: list[dict[str, Any]]) -> Response:
    return requests.call_once(
        "complete_multipart_upload", upload.key, UploadId=name, MultipartUpload={"Parts": parts}, **upload.conditions
    )


def _abort(requests: Requests, key: str, name: str) -> None:
    """Discard the parts; a server that cannot be reached keeps them until its own clean-up."""
    try:
        requests.call_once("abort_multipart_upload", key, UploadId=name)
    except Phase2Error:
        return
