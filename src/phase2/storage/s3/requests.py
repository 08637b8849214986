"""One request at a time to one bucket: tried again while that helps, explained when it does not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from threading import Lock, Semaphore
from typing import Any

from phase2.errors import RequestError, TransientError
from phase2.storage.base import ObjectExistsError, ObjectMissingError
from phase2.storage.s3.client import make_client
from phase2.storage.s3.errors import s3_errors
from phase2.storage.s3.retry import with_retries
from phase2.storage.s3.settings import S3Settings

Answer = dict[str, Any]
_BEGIN = Lock()


class Requests:
    """Requests of one bucket by full key.

    Args:
        url: Address of the store, for messages.
        bucket: Name of the bucket.
        settings: How the server is reached.
    """

    def __init__(self, url: str, bucket: str, settings: S3Settings) -> None:
        self.place = f"{url} at {settings.endpoint}" if settings.endpoint else url
        self.bucket = bucket
        self.settings = settings
        # However many files travel at once, only so many parts are in memory.
        self.room = Semaphore(settings.workers + 2)
        self._has_bucket = False

    @cached_property
    def client(self) -> Any:
        """The boto3 client, made by the first request; boto3 makes clients in one thread only."""
        with _BEGIN, s3_errors(self.place):
            return make_client(self.settings)

    def call(self, operation: str, key: str = "", **parameters: object) -> Answer:
        """Do one operation of the client and return its answer."""
        answer: Answer = self.persist(lambda: self.once(operation, key, **parameters))
        return answer

    def once(self, operation: str, key: str = "", **parameters: object) -> Answer:
        """The same without trying again."""
        if key:
            parameters["Key"] = key
        with s3_errors(self.place, key):
            answer: Answer = getattr(self.client, operation)(Bucket=self.bucket, **parameters)
            return answer

    def persist(self, action: Callable[[], Any]) -> Any:
        """Try an action as often as the settings say."""
        return with_retries(action, self.settings)

    def head(self, key: str) -> Answer | None:
        """What the server knows of an object; None when there is none in a bucket that exists."""
        try:
            answer = self.call("head_object", key, ChecksumMode="ENABLED")
            # Metadata is the one thing whose loss at the end of an answer does not show: see s3_answers.
            return answer if answer.get("Metadata") else self.call("head_object", key, ChecksumMode="ENABLED")
        except ObjectMissingError:
            self._need_bucket()
            return None
        except RequestError:
            # An answer to HEAD has no body, so it cannot say why; one to GET can.
            self.call("get_object", key, Range="bytes=0-0")
            raise

    def read(self, key: str, span: tuple[int, int] | None = None, etag: str = "") -> tuple[bytes, Answer]:
        """Content of an object, or of its bytes ``span[0] <= i < span[1]``, and the answer that brought it."""
        parameters = {"ChecksumMode": "ENABLED"} if span is None else {"Range": f"bytes={span[0]}-{span[1] - 1}"}
        if etag:
            parameters["IfMatch"] = etag

        def attempt() -> tuple[bytes, Answer]:
            answer = self.once("get_object", key, **parameters)
            with s3_errors(self.place, key), answer["Body"] as body:
                content: bytes = body.read()
            if len(content) != (answer["ContentLength"] if span is None else span[1] - span[0]):
                raise TransientError(f"'{key}' came in part.", fix="Try again.")
            return content, answer

        try:
            content, answer = self.persist(attempt)
        except ObjectExistsError as error:
            raise TransientError(f"'{key}' was replaced while it was read.", fix="Try again.") from error
        return content, answer

    def stream(self, key: str, start: int, size: int, etag: str) -> Iterator[bytes]:
        """Bytes of an object from ``start`` on, fetched in parts side by side and handed out in order."""
        step = self.settings.part_bytes
        spans = ((begin, min(begin + step, size)) for begin in range(start, size, step))
        waiting: deque[Future[tuple[bytes, Answer]]] = deque()
        with ThreadPoolExecutor(self.settings.workers) as pool:
            try:
                for span in spans:
                    # Never wait for room while holding any: two streams that did would wait for each other.
                    while not self.room.acquire(blocking=not waiting):
                        yield self._next(waiting)
                    waiting.append(pool.submit(self.read, key, span, etag))
                while waiting:
                    yield self._next(waiting)
            finally:
                pool.shutdown(cancel_futures=True)
                for _ in waiting:
                    self.room.release()

    def _next(self, waiting: deque[Future[tuple[bytes, Answer]]]) -> bytes:
        content = waiting[0].result()[0]
        waiting.popleft()
        self.room.release()
        return content

    def _need_bucket(self) -> None:
        """Tell a missing object from a missing bucket, once; keys that may get need not be allowed to list."""
        if self._has_bucket:
            return
        try:
            self.call("list_objects_v2", MaxKeys=1)
        except RequestError as error:
            if "AccessDenied" not in error.why:
                raise
        self._has_bucket = True
