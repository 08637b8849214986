"""Opening a store by its address."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from urllib.parse import urlsplit

from phase2.errors import RequestError
from phase2.output.visible import line
from phase2.storage.base import Store
from phase2.storage.disk.errors import disk_errors
from phase2.storage.disk.home import expand_home
from phase2.storage.disk.listing import folder_names
from phase2.storage.folder import LocalStore, folder_of_address
from phase2.storage.s3.settings import S3Settings

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_NEARLY_S3 = re.compile(r"\s*s3[an]?(?:\s*[:;]\s*[/\\]*|//+|\\\\+)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_NEARLY_FILE = re.compile(r"\s*file\s*[:;]\s*[/\\]*(?:localhost/)?(?P<rest>.*)", re.IGNORECASE | re.DOTALL)


def is_address(text: str) -> bool:
    """Tell an address, such as ``s3://bucket/prefix``, from a path.

    Raises:
        RequestError: It is neither, but close to an address: ``s3:/bucket``, ``S3://bucket``, ``file:/folder``. A
            folder of such a name is written ``./s3:``.
    """
    if text.startswith(("s3://", "file:///", "file://localhost/")) and text.isprintable():
        return True
    if (_SCHEME.match(text) or _NEARLY_S3.fullmatch(text) or _NEARLY_FILE.fullmatch(text)) and not text.isprintable():
        raise RequestError(
            f"The address {line(text)!r} has a line break or another hidden character.",
            why="It would be another place than it looks like.",
            fix="Write it on one line; look for a line break at the end of the variable or file that it comes from.",
        )
    if found := _NEARLY_S3.fullmatch(text):
        raise _not_an_address(text, f"s3://{found['rest'].lstrip('/')}")
    if found := _NEARLY_FILE.fullmatch(text):
        raise _not_an_address(text, f"file:///{found['rest'].lstrip('/')}")
    return _SCHEME.match(text) is not None


def open_store(url: str | Path, settings: S3Settings | None = None) -> Store:
    """Open the store at an address; nothing is read or created yet.

    Args:
        url: ``file:///folder``, a path, or ``s3://bucket/prefix``.
        settings: Connection settings of a bucket; None takes ``S3Settings.from_environment()``.

    Raises:
        RequestError: The address is of another kind, names no bucket, or carries access keys.
    """
    text = str(url)
    if isinstance(url, Path) or not is_address(text):
        return LocalStore(expand_home(text))
    parts = urlsplit(text)
    if parts.scheme not in {"file", "s3"}:
        raise _other_kind(parts.scheme)
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        # Not repeated in the message: a signed address has its signature there.
        raise RequestError(
            "The address of the store has a '?' or '#'.", fix="Write s3://bucket/prefix or a path alone."
        )
    if parts.scheme == "file":
        return LocalStore(folder_of_address(text))
    if parts.path.startswith("//"):
        raise _not_an_address(text, f"s3://{parts.netloc}/{parts.path.strip('/')}")
    return _bucket(parts.netloc, parts.path.strip("/"), settings)


def open_existing_store(url: str | Path, settings: S3Settings | None = None) -> Store:
    """Open the store at an address for what reads it alone: a folder must be there.

    Args:
        url: As for :func:`open_store`.
        settings: As for :func:`open_store`.

    Raises:
        RequestError: There is no such folder, or the address is none.
        TransientError: The disk does not answer.
    """
    store = open_store(url, settings)
    if isinstance(store, LocalStore):
        with disk_errors(store.root):
            if not store.root.is_dir():
                raise _no_folder(store.root)
    return store


def _no_folder(path: Path) -> RequestError:
    if path.exists():
        return RequestError(f"{path} is no folder.", why="It is named as the store.", fix="Name a folder or a bucket.")
    found = difflib.get_close_matches(path.name, list(folder_names(path.parent)), n=1)
    check = "Check the path; training or publishing a run into it makes the folder."
    return RequestError(
        f"There is no folder {path}.",
        why="It is named as the store, and a store that is not there has nothing to read.",
        fix=f"Did you mean {path.parent / found[0]}?" if found else check,
    )


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


def _not_an_address(text: str, meant: str) -> RequestError:
    return RequestError(
        f"'{line(text)}' is not the address of a store.",
        why="An address begins with s3:// or file:///, in small letters; as a path it would be a folder of that name.",
        fix=f"Did you mean {line(meant)}? (A folder of that name is written with ./ before it.)",
    )


def _other_kind(scheme: str) -> RequestError:
    fix = "Use file:///folder or s3://bucket/prefix."
    if scheme in {"http", "https"}:
        fix = "Use s3://bucket/prefix, and set AWS_ENDPOINT_URL_S3 to the address of the server."
    return RequestError(
        f"'{scheme}://...' is not the address of a store.", why="A store is a folder or a bucket.", fix=fix
    )
