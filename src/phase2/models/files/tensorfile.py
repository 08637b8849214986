"""Files of tensors and plain values, loaded without running code from them."""

from __future__ import annotations

import errno
import io
import pickle
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import torch

from phase2.errors import ModelFileError
from phase2.storage.disk.atomic import write_bytes

T = TypeVar("T")

# What torch.load raises for files that are truncated, overwritten or of another program, or have a flipped bit.
_DAMAGE = (
    pickle.UnpicklingError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    EOFError,
    AssertionError,
    OverflowError,
    struct.error,
    zlib.error,
)


def serialize_tensors(content: Mapping[str, object]) -> bytes:
    """Serialize tensors, text, numbers, and lists and dictionaries of these to the bytes of a file."""
    # In memory first: torch reports a full disk as a RuntimeError, a plain write as an OSError.
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    return buffer.getvalue()


def save_tensor_file(path: Path, content: Mapping[str, object]) -> None:
    """Write a file of tensors and plain values atomically."""
    write_bytes(path, serialize_tensors(content))


def load_tensor_file(path: Path, *, kind: str, file_format: str, version: int) -> dict[str, object]:
    """Read a file written by :func:`save_tensor_file`, onto the CPU.

    Args:
        path: The file.
        kind: Name of the kind of file for messages: "model file".
        file_format: Required "format" of the content.
        version: Newest "version" that can be read.

    Raises:
        ModelFileError: The file is missing, damaged, unsafe, of another format, or written by a newer phase2.
    """
    if not path.is_file():
        raise ModelFileError(f"There is no {kind} {path}.", fix="Check the path.")
    _check_bytes(path, kind)
    content = _load(path, kind)
    if not isinstance(content, dict) or content.get("format") != file_format:
        raise _unusable(path, kind, f"Its content is not marked '{file_format}'")
    found = content.get("version")
    if not isinstance(found, int) or found < 1:
        raise _unusable(path, kind, f"It has version {found!r}")
    if found > version:
        raise ModelFileError(
            f"The {kind} {path} was made by a newer phase2.",
            why=f"It has version {found}; this phase2 reads up to version {version}.",
            fix="Upgrade phase2.",
        )
    return content


def require_entry(content: Mapping[str, object], name: str, kind: type[T], path: Path) -> T:
    """Return one entry of a file's content, checking its type.

    Raises:
        ModelFileError: It is missing or of another type.
    """
    value = content.get(name)
    if not isinstance(value, kind):
        found = type(value).__name__ if name in content else "missing"
        raise _unusable(path, "file", f"Its entry '{name}' is {found}, not {kind.__name__}")
    return value


def _check_bytes(path: Path, kind: str) -> None:
    """Compare the file with its own checksums, which torch does not: a flipped bit would be a wrong weight."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except zipfile.BadZipFile as error:
        raise _unusable(path, kind, "It is not in PyTorch's format, or its end is missing") from error
    except _DAMAGE as error:
        raise _unusable(path, kind, "It is damaged") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # an offset from a damaged table of contents; other errors are the disk's
            raise
        raise _unusable(path, kind, "It is damaged") from error
    if damaged is not None:
        raise _unusable(path, kind, f"It is damaged: its part '{damaged}' has a wrong checksum")


def _load(path: Path, kind: str) -> object:
    try:
        content: object = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "nsupported" not in str(error):
            raise _unusable(path, kind, "It is damaged") from error
        raise ModelFileError(
            f"The {kind} {path} was refused.",
            why="It holds more than tensors and plain values, and loading that could run code.",
            fix="Use a file that phase2 wrote.",
        ) from error
    except _DAMAGE as error:
        raise _unusable(path, kind, "It is damaged") from error
    return content


def _unusable(path: Path, kind: str, why: str) -> ModelFileError:
    return ModelFileError(f"The {kind} {path} cannot be used.", why=f"{why}.", fix="Use another copy of the file.")
