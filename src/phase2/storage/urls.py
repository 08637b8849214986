"""Opening a store by its address."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from phase2.errors import RequestError
from phase2.storage.base import Store
from phase2.storage.folder import LocalStore
from phase2.storage.s3.settings import S3Settings

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def open_store(url: str | Path, settings: S3Settings | None = None) -> Store:
    """Open the store at an address; nothing is read or created yet.

    Args:
        url: ``file:///folder``, a path, or ``s3://bucket/prefix``.
        settings: Connection settings of a bucket; None takes ``S3Settings.from_environment()``.

    Raises:
        RequestError: The address is of another kind, names no bucket, or carries access keys.
    """
    text = str(url)
    if not _SCHEME.match(text):
        return LocalStore(Path(text).expanduser())
    parts = urlsplit(text)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return LocalStore(Path(unquote(parts.path)))
    if parts.scheme != "s3":
        raise RequestError(
            f"'{parts.scheme}://...' is not the address of a store.",
            why="A store is a folder or a bucket.",
            fix="Use file:///folder or s3://bucket/prefix.",
        )
    if parts.query or parts.fragment:
        # Not repeated in the message: a signed address has its signature there.
        raise RequestError("The address of the store has a '?' or '#'.", fix="Write s3://bucket/prefix alone.")
    return _bucket(parts.netloc, parts.path.strip("/"), settings)


def _bucket(bucket: str, prefix: str, settings: S3Settings | None) -> Store:
    if "@" in bucket:
        raise RequestError(
            "The address of the store carries access keys.",
            why="Addresses end up in logs and manifests.",
            fix="Write s3://bucket/prefix and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    if not _BUCKET.fullmatch(bucket):
        raise RequestError(
            f"'{bucket}' is not a valid bucket name.",
            why="Bucket names have 3 to 63 lower-case letters, digits, dots and hyphens.",
            fix="Write s3://bucket/prefix.",
        )
    # Imported here: boto3 takes a third of a second, and folders do without it.
    from phase2.storage.s3.store import S3Store

    return S3Store(bucket, prefix, settings or S3Settings.from_environment())
