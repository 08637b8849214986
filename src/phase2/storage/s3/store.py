"""Objects in a bucket of an S3 server: AWS, MinIO, SeaweedFS and others."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

from phase2.storage.base import (
    ObjectDamagedError,
    ObjectInfo,
    ObjectMissingError,
    check_folder,
    check_key,
    checked_range,
    exists,
    is_unfinished,
    missing,
)
from phase2.storage.disk.checksums import fetch_verified, sha256_of, size_of, verify
from phase2.storage.disk.download import land
from phase2.storage.s3.answers import DIGEST_NAME
from phase2.storage.s3.requests import Answer, Requests
from phase2.storage.s3.settings import S3Settings
from phase2.storage.s3.upload import Upload, send

_HEX = re.compile("[0-9a-fA-F]{64}")


class S3Store:
    """A prefix of a bucket as a store.

    The SHA-256 of each object is stored beside it. On the way up every request carries a SHA-256 that the server
    verifies; where a server does not say that it did, the object is read back.

    Args:
        bucket: Name of the bucket, which must exist.
        prefix: What all keys start with, without slashes at its ends; "" is the whole bucket.
        settings: How the server is reached.
    """

    def __init__(self, bucket: str, prefix: str, settings: S3Settings) -> None:
        self._prefix = f"{check_key(prefix)}/" if prefix else ""
        self._url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._requests = Requests(self._url, bucket, settings)

    @property
    def url(self) -> str:
        """``s3://bucket/prefix``."""
        return self._url

    def __repr__(self) -> str:
        return f"S3Store({self._url!r})"

    def put(self, key: str, source: Path | bytes, *, sha256: str | None = None, if_absent: bool = False) -> ObjectInfo:
        """See ``Store.put``."""
        full = self._full(key)
        if if_absent and self._requests.head(full) is not None:
            raise exists(self.url, key)
        digest = (sha256 or sha256_of(source)).lower()
        conditions = {"IfNoneMatch": "*"} if if_absent else {}
        upload = Upload(full, source, size_of(source), digest, conditions)
        answer, vouched = send(self._requests, upload)
        if not vouched:
            self._read_back(upload, answer["ETag"])
        modified = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return ObjectInfo(key, upload.size, digest, modified)

    def put_unasked(self, key: str, content: bytes) -> None:
        """Put where nothing is, and leave it to the server alone to find out; ``put`` looks first, which is cheaper.

        Raises:
            ObjectExistsError: The key is taken, and the server honours ``If-None-Match``.
        """
        upload = Upload(self._full(key), content, len(content), sha256_of(content), {"IfNoneMatch": "*"})
        send(self._requests, upload)

    def get(self, key: str, target: Path, *, sha256: str | None = None) -> ObjectInfo:
        """See ``Store.get``."""
        full, answer = self._full(key), self._answer(key)
        info = _info(key, answer)

        def fetch(start: int) -> Iterator[bytes]:
            return self._requests.stream(full, start, info.size, answer["ETag"])

        found = land(info, target, fetch, sha256=sha256 or info.sha256)
        return ObjectInfo(key, info.size, found, info.modified)

    def read(self, key: str) -> bytes:
        """See ``Store.read``."""
        content = b""

        def fetch() -> tuple[str, str | None]:
            nonlocal content
            content, answer = self._requests.read(self._full(key))
            return sha256_of(content), _info(key, answer).sha256

        fetch_verified(f"'{key}'", fetch)
        return content

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """See ``Store.read_range``."""
        start, length = checked_range(start, length)
        size = self._answer(key)["ContentLength"]
        end = min(start + length, size)
        return self._requests.read(self._full(key), (start, end))[0] if start < end else b""

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See ``Store.list``; sorted here, since some servers sort folder by folder."""
        found = (
            ObjectInfo(e["Key"].removeprefix(self._prefix), e["Size"], None, e["LastModified"])
            for page in self._pages(prefix)
            for e in page.get("Contents", [])
            if not e["Key"].endswith("/")
        )
        yield from sorted(found, key=lambda info: info.key)

    def folders(self, prefix: str = "") -> Iterator[str]:
        """See ``Store.folders``: the server leaves out what lies deeper."""
        found = {
            e["Prefix"].removeprefix(self._prefix).rstrip("/")
            for page in self._pages(check_folder(prefix), Delimiter="/")
            for e in page.get("CommonPrefixes", [])
        }
        yield from sorted(folder for folder in found if not is_unfinished(folder.rpartition("/")[2]))

    def head(self, key: str) -> ObjectInfo | None:
        """See ``Store.head``."""
        answer = self._requests.head(self._full(key))
        return None if answer is None else _info(key, answer)

    def delete(self, key: str) -> None:
        """See ``Store.delete``."""
        try:
            self._requests.call("delete_object", self._full(key))
        except ObjectMissingError:
            return

    def _full(self, key: str) -> str:
        return self._prefix + check_key(key)

    def _answer(self, key: str) -> Answer:
        answer = self._requests.head(self._full(key))
        if answer is None:
            raise missing(self.url, key)
        return answer

    def _pages(self, prefix: str, **how: str) -> Iterator[Answer]:
        more: dict[str, str] = {}
        while True:
            page = self._requests.call("list_objects_v2", Prefix=self._prefix + prefix, **how, **more)
            yield page
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _read_back(self, upload: Upload, etag: str) -> None:
        """Hash what the server has; what is wrong is removed, since nobody could tell it from what is right."""
        digest = hashlib.sha256()
        for chunk in self._requests.stream(upload.key, 0, upload.size, etag):
            digest.update(chunk)
        try:
            verify(f"What {self.url} keeps of '{upload.key}'", digest.hexdigest(), upload.sha256)
        except ObjectDamagedError:
            self._requests.call("delete_object", upload.key)
            raise


def _info(key: str, answer: Answer) -> ObjectInfo:
    digest = answer.get("Metadata", {}).get(DIGEST_NAME, "")
    if not _HEX.fullmatch(digest):  # the metadata of others may have another use for the name
        digest = _server_digest(answer)
    return ObjectInfo(key, answer["ContentLength"], digest, answer["LastModified"])


def _server_digest(answer: Answer) -> str | None:
    """The SHA-256 of an object that was put by others; one of parts ("composite") is not that of the content."""
    checksum = answer.get("ChecksumSHA256", "")
    whole = checksum and "-" not in checksum and answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    return base64.b64decode(checksum).hex() if whole else None
