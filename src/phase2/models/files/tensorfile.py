"""Files of tensors and plain values, loaded without running code from them."""

from __future__ import annotations

import io
import pickle
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TypeVar

import torch
from pydantic import ValidationError

from phase2.errors import ModelFileError
from phase2.models.files.digest import ENTRY, content_digest
from phase2.runs.ancestry.model_content import explain_invalid
from phase2.storage.archive.errors import ArchiveError, UnsafeArchiveError
from phase2.storage.archive.reader import read_structure
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
    """Serialize tensors, text, numbers, and lists and dictionaries of these to the bytes of a file.

    A digest of the content is added as the entry ``sha256``.
    """
    # In memory first: torch reports a full disk as a RuntimeError, a plain write as an OSError.
    buffer = io.BytesIO()
    torch.save({**content, ENTRY: content_digest(content)}, buffer)
    return buffer.getvalue()


def save_tensor_file(path: Path, content: Mapping[str, object]) -> None:
    """Write a file of tensors and plain values atomically."""
    write_bytes(path, serialize_tensors(content))


def load_tensor_file(
    path: Path, *, kind: str, file_format: str, version: int, check: Callable[[dict[str, object]], T]
) -> tuple[T, dict[str, object]]:
    """Read a file written by :func:`save_tensor_file`, onto the CPU.

    Nothing is unpacked before the archive's sizes, checksums and values are known to be right.

    Args:
        path: The file.
        kind: Name of the kind of file for messages: "model file".
        file_format: Required "format" of the content.
        version: Newest "version" that can be read.
        check: Checks the type of every entry, with a ``TensorInfo`` for each tensor; raises a ``ValidationError``.

    Returns:
        What ``check`` returns, and the content.

    Raises:
        ModelFileError: The file is missing, damaged, unsafe, of another format, or written by a newer phase2.
    """
    if not path.is_file():
        raise ModelFileError(f"There is no {kind} {path}.", fix="Check the path.")
    with path.open("rb") as file:
        structure = _structure(file, path, kind)
        _check_format(structure, path, kind, file_format, version)
        try:
            checked = check(structure)
        except ValidationError as error:
            raise _unusable(path, kind, explain_invalid(error)) from error
        content = _load(file, path, kind)
    if ENTRY in content and content[ENTRY] != content_digest(content):
        raise _unusable(path, kind, "It was changed after it was written: its digest is another one")
    return checked, content


def _structure(file: IO[bytes], path: Path, kind: str) -> dict[str, object]:
    try:
        structure = read_structure(file)
    except UnsafeArchiveError as error:
        raise ModelFileError(
            f"The {kind} {path} was refused.",
            why=f"It holds more than tensors and plain values, and loading that could run code: {error}.",
            fix="Use a file that phase2 wrote.",
        ) from error
    except ArchiveError as error:
        raise _unusable(path, kind, f"It is damaged: {error}") from error
    return structure if isinstance(structure, dict) else {}


def _check_format(structure: Mapping[str, object], path: Path, kind: str, file_format: str, version: int) -> None:
    if structure.get("format") != file_format:
        raise _unusable(path, kind, f"Its content is not marked '{file_format}'")
    found = structure.get("version")
    if type(found) is not int or found < 1:
        raise _unusable(path, kind, "Its entry 'version' is no version")
    if found > version:
        raise ModelFileError(
            f"The {kind} {path} was made by a newer phase2.",
            why=f"It has version {found}; this phase2 reads up to version {version}.",
            fix="Upgrade phase2.",
        )


def _load(file: IO[bytes], path: Path, kind: str) -> dict[str, object]:
    file.seek(0)
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        raise _unusable(path, kind, "It is damaged") from error
    if not isinstance(content, dict):
        raise _unusable(path, kind, "It is damaged")
    return content


def _unusable(path: Path, kind: str, why: str) -> ModelFileError:
    return ModelFileError(f"The {kind} {path} cannot be used.", why=f"{why}.", fix="Use another copy of the file.")
