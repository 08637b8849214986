"""A bucket of an S3 server as a store: AWS, MinIO, SeaweedFS and others."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path

from phase2.storage.base import (
    ObjectDamagedError,
    ObjectInfo,
    ObjectMissingError,
    check_folder,
    check_key,
    check_range,
    exists_error,
    is_temporary,
    missing_error,
)
from phase2.storage.disk.checksums import fetch_verified, sha256_of, size_of, verify
from phase2.storage.disk.download import download_verified
from phase2.storage.protection import Protection
from phase2.storage.s3 import versions
from phase2.storage.s3.errors import s3_errors
from phase2.storage.s3.requests import Requests, Response
from phase2.storage.s3.responses import DIGEST_NAME
from phase2.storage.s3.settings import S3Settings, refuse_bucket_in_endpoint
from phase2.storage.s3.upload import Upload, send

_HEX = re.compile("[0-9a-fA-F]{64}")


class S3Store:
    """A prefix of a bucket as a store.

    The SHA-256 of each object is stored as metadata. Every upload carries a SHA-256 that the server verifies; where a
    server does not confirm that, the object is read back.

    Args:
        bucket: Name of the bucket, which must exist.
        prefix: Prefix of all keys, without leading or trailing slash; "" is the whole bucket.
        settings: Connection settings.
    """

    def __init__(self, bucket: str, prefix: str, settings: S3Settings) -> None:
        self._prefix = f"{check_key(prefix)}/" if prefix else ""
        self._url = f"s3://{bucket}/{prefix}".rstrip("/")
        refuse_bucket_in_endpoint(settings.endpoint, bucket)
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
            raise exists_error(self.url, key)
        digest = (sha256 or sha256_of(source)).lower()
        conditions = {"IfNoneMatch": "*"} if if_absent else {}
        upload = Upload(full, source, size_of(source), digest, conditions)
        response, verified = send(self._requests, upload)
        if not verified:
            self._read_back(upload, response["ETag"])
        modified = parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
        return ObjectInfo(key, upload.size, digest, modified)

    def put_if_none_match(self, key: str, content: bytes) -> None:
        """Store under a free key, relying on ``If-None-Match`` alone; ``put`` checks first, which is cheaper.

        Raises:
            ObjectExistsError: The key is taken, and the server honours ``If-None-Match``.
        """
        upload = Upload(self._full(key), content, len(content), sha256_of(content), {"IfNoneMatch": "*"})
        send(self._requests, upload)

    def get(self, key: str, target: Path, *, sha256: str | None = None) -> ObjectInfo:
        """See ``Store.get``."""
        full, response = self._full(key), self._head(key)
        info = _info(key, response)

        def stream_from(start: int) -> Iterator[bytes]:
            return self._requests.stream(full, start, info.size, response["ETag"])

        found = download_verified(info, target, stream_from, sha256=sha256 or info.sha256)
        return ObjectInfo(key, info.size, found, info.modified)

    def read(self, key: str) -> bytes:
        """See ``Store.read``."""
        content = b""

        def fetch() -> tuple[str, str | None]:
            nonlocal content
            content, response = self._requests.read(self._full(key))
            return sha256_of(content), _info(key, response).sha256

        fetch_verified(f"'{key}'", fetch)
        return content

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """See ``Store.read_range``."""
        start, length = check_range(start, length)
        size = self._head(key)["ContentLength"]
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
        """See ``Store.folders``; the server's delimiter leaves out deeper levels."""
        found = {
            e["Prefix"].removeprefix(self._prefix)[:-1]
            for page in self._pages(check_folder(prefix), Delimiter="/")
            for e in page.get("CommonPrefixes", [])
        }
        # A key may have an empty part, as in "a//b", which is no folder of any other store.
        names = {folder: folder.rpartition("/")[2] for folder in found}
        yield from sorted(folder for folder, name in names.items() if name and not is_temporary(name))

    def head(self, key: str) -> ObjectInfo | None:
        """See ``Store.head``."""
        response = self._requests.head(self._full(key))
        return None if response is None else _info(key, response)

    def delete(self, key: str) -> None:
        """See ``Store.delete``."""
        try:
            self._requests.call("delete_object", self._full(key))
        except ObjectMissingError:
            return

    def presign(self, key: str, seconds: int) -> str:
        """Return an address from which an object can be downloaded without access keys; nothing is requested.

        Args:
            key: Name of the object.
            seconds: Time for which a download can be started.
        """
        parameters = {"Bucket": self._requests.bucket, **self._requests.read_parameters(self._full(key))}
        with s3_errors(self._requests.place, key):
            return str(self._requests.client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds))

    @property
    def retention_days(self) -> int:
        """See ``ProtectedStore.retention_days``."""
        return self._requests.settings.retention_days

    def protection(self) -> Protection:
        """See ``ProtectedStore.protection``."""
        return versions.protection(self._requests)

    def retain(self, key: str, until: datetime) -> None:
        """See ``ProtectedStore.retain``."""
        versions.retain(self._requests, self._full(key), until)

    def replaced(self, prefix: str) -> Mapping[str, Sequence[str]]:
        """See ``ProtectedStore.replaced``."""
        if not self._keeps_versions:
            return {}
        found = versions.replaced(self._requests, self._prefix + prefix)
        return {key.removeprefix(self._prefix): ids for key, ids in found.items()}

    def pinned(self, chosen: Mapping[str, str]) -> S3Store:
        """See ``ProtectedStore.pinned``."""
        pinned = copy.copy(self)
        versions_by_key = {self._full(key): version for key, version in chosen.items()}
        pinned._requests = self._requests.pinned(versions_by_key)  # noqa: SLF001 - a copy of this object
        return pinned

    def count_versions(self, prefix: str) -> int:
        """See ``ProtectedStore.count_versions``."""
        return sum(1 for _ in versions.listed(self._requests, self._prefix + prefix))

    def delete_versions(self, prefix: str) -> int:
        """See ``ProtectedStore.delete_versions``."""
        return versions.delete_versions(self._requests, self._prefix + prefix)

    @cached_property
    def _keeps_versions(self) -> bool:
        """Whether the bucket may have earlier versions of an object; asked once."""
        return versions.may_exist(self._requests)

    def _full(self, key: str) -> str:
        return self._prefix + check_key(key)

    def _head(self, key: str) -> Response:
        response = self._requests.head(self._full(key))
        if response is None:
            raise missing_error(self.url, key)
        return response

    def _pages(self, prefix: str, **options: str) -> Iterator[Response]:
        page_token: dict[str, str] = {}
        while True:
            page = self._requests.call("list_objects_v2", Prefix=self._prefix + prefix, **options, **page_token)
            yield page
            if not page.get("IsTruncated"):
                return
            page_token = {"ContinuationToken": page["NextContinuationToken"]}

    def _read_back(self, upload: Upload, etag: str) -> None:
        """Hash the stored object; delete it when it is damaged, since readers could not detect that."""
        digest = hashlib.sha256()
        for chunk in self._requests.stream(upload.key, 0, upload.size, etag):
            digest.update(chunk)
        try:
            verify(f"The object '{upload.key}' in {self.url}", digest.hexdigest(), upload.sha256)
        except ObjectDamagedError:
            self._requests.call("delete_object", upload.key)
            raise


def _info(key: str, response: Response) -> ObjectInfo:
    digest = response.get("Metadata", {}).get(DIGEST_NAME, "")
    if not _HEX.fullmatch(digest):  # objects stored by others may use the name differently
        digest = _server_digest(response)
    return ObjectInfo(key, response["ContentLength"], digest, response["LastModified"])


def _server_digest(response: Response) -> str | None:
    """Return the server's SHA-256 of an object stored by others; a "composite" one of its parts does not count."""
    checksum = response.get("ChecksumSHA256", "")
    whole = checksum and "-" not in checksum and response.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    return base64.b64decode(checksum).hex() if whole else None
