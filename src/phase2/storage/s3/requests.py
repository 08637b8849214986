"""Requests to one bucket: retried while that may help, with errors of phase2 when it does not."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from threading import Lock, Semaphore
from typing import Any

from phase2.errors import RequestError, TransientError
from phase2.storage.base import ObjectExistsError, ObjectMissingError, check_read_size
from phase2.storage.s3.client import make_client
from phase2.storage.s3.errors import s3_errors
from phase2.storage.s3.retry import with_retries
from phase2.storage.s3.settings import S3Settings

Response = dict[str, Any]
_READS = frozenset({"get_object", "head_object"})
_CLIENT_LOCK = Lock()


class Requests:
    """Requests to one bucket by full key.

    Args:
        url: Address of the store, for messages.
        bucket: Name of the bucket.
        settings: Connection settings.
    """

    def __init__(self, url: str, bucket: str, settings: S3Settings) -> None:
        self.place = f"{url} at {settings.endpoint}" if settings.endpoint else url
        self.bucket = bucket
        self.settings = settings
        # Bounds the parts in memory, however many files are transferred concurrently.
        self.part_slots = Semaphore(settings.workers + 2)
        self._has_bucket = False
        self._pins: Mapping[str, str] = {}

    def pinned(self, versions: Mapping[str, str]) -> Requests:
        """Return requests that read the given versions of objects, by full key, in place of the current ones."""
        pinned = copy.copy(self)
        pinned._pins = {**self._pins, **versions}  # noqa: SLF001 - a copy of this object
        return pinned

    def read_parameters(self, key: str) -> dict[str, str]:
        """Return the parameters that name the object to read: its key, and its version where one is pinned."""
        version = self._pins.get(key)
        return {"Key": key} if version is None else {"Key": key, "VersionId": version}

    @cached_property
    def client(self) -> Any:
        """The boto3 client, created by the first request; boto3 creates clients in one thread only."""
        with _CLIENT_LOCK, s3_errors(self.place):
            return make_client(self.settings)

    def call(self, operation: str, key: str = "", **parameters: object) -> Response:
        """Perform an operation of the client, with retries, and return the response."""
        response: Response = self.retry(lambda: self.call_once(operation, key, **parameters))
        return response

    def call_once(self, operation: str, key: str = "", **parameters: object) -> Response:
        """Perform an operation of the client, without retries."""
        if key:
            parameters |= self.read_parameters(key) if operation in _READS else {"Key": key}
        with s3_errors(self.place, key):
            response: Response = getattr(self.client, operation)(Bucket=self.bucket, **parameters)
            return response

    def retry(self, action: Callable[[], Any]) -> Any:
        """Perform an action with the retries of the settings."""
        return with_retries(action, self.settings)

    def head(self, key: str) -> Response | None:
        """Return the metadata of an object; None when the bucket exists and has no such object."""
        try:
            response = self.call("head_object", key, ChecksumMode="ENABLED")
            # Metadata is the one part whose truncation is not detected: see responses.py.
            return response if response.get("Metadata") else self.call("head_object", key, ChecksumMode="ENABLED")
        except ObjectMissingError:
            self._require_bucket()
            return None
        except RequestError:
            # A response to HEAD has no body and so no reason; one to GET has.
            with suppress(ObjectExistsError):  # an empty object has no such range
                self.call("get_object", key, Range="bytes=0-0")
            raise

    def read(self, key: str, span: tuple[int, int] | None = None, etag: str = "") -> tuple[bytes, Response]:
        """Return the content of an object, or its bytes ``span[0] <= i < span[1]``, with the response."""
        parameters = {"ChecksumMode": "ENABLED"} if span is None else {"Range": f"bytes={span[0]}-{span[1] - 1}"}
        if etag:
            parameters["IfMatch"] = etag

        def attempt() -> tuple[bytes, Response]:
            response = self.call_once("get_object", key, **parameters)
            with s3_errors(self.place, key), response["Body"] as body:
                check_read_size(self.place, key, response["ContentLength"])
                content: bytes = body.read()
            if len(content) != (response["ContentLength"] if span is None else span[1] - span[0]):
                raise TransientError(f"'{key}' arrived incomplete.", fix="Try again.")
            return content, response

        try:
            content, response = self.retry(attempt)
        except ObjectExistsError as error:
            raise TransientError(f"'{key}' was replaced while it was read.", fix="Try again.") from error
        return content, response

    def stream(self, key: str, start: int, size: int, etag: str) -> Iterator[bytes]:
        """Yield the bytes of an object from ``start`` on, fetched in concurrent parts, in order."""
        step = self.settings.part_bytes
        spans = ((begin, min(begin + step, size)) for begin in range(start, size, step))
        waiting: deque[Future[tuple[bytes, Response]]] = deque()
        with ThreadPoolExecutor(self.settings.workers) as pool:
            try:
                for span in spans:
                    # Never wait for a slot while holding one: two streams that did would wait for each other.
                    while not self.part_slots.acquire(blocking=not waiting):
                        yield self._next(waiting)
                    waiting.append(pool.submit(self.read, key, span, etag))
                while waiting:
                    yield self._next(waiting)
            finally:
                pool.shutdown(cancel_futures=True)
                for _ in waiting:
                    self.part_slots.release()

    def _next(self, waiting: deque[Future[tuple[bytes, Response]]]) -> bytes:
        content = waiting[0].result()[0]
        waiting.popleft()
        self.part_slots.release()
        return content

    def _require_bucket(self) -> None:
        """Distinguish a missing object from a missing bucket, once; keys with read permission may not list."""
        if self._has_bucket:
            return
        try:
            self.call("list_objects_v2", MaxKeys=1)
        except RequestError as error:
            if "AccessDenied" not in error.why:
                raise
        self._has_bucket = True
