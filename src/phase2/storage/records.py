"""JSON files of a run: strict schemas, atomic writes, and errors that a person can act on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from phase2.errors import ModelFileError
from phase2.storage.disk.atomic import write_text

MAX_BYTES = 64 * 1024**2
"""Largest file that is parsed; a history of 100,000 epochs has 50 MB."""

_FIX = "Copy the run again from where it was trained; the other files of the run may be damaged as well."


class Record(BaseModel):
    """Base of immutable records; rejects unknown fields, and numbers that JSON lacks (NaN, infinity)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Counted = Annotated[int, Field(ge=0, lt=2**63)]
"""A number of things."""

AnyRecord = TypeVar("AnyRecord", bound=BaseModel)


class _Versioned(BaseModel):
    """The field that every version of a file has."""

    schema_version: Counted = 1


def write_record(path: Path, record: BaseModel) -> None:
    """Write a record as JSON, atomically."""
    write_text(path, to_json(record.model_dump(mode="json")))


def read_record(path: Path, kind: type[AnyRecord], *, version: int = 1) -> AnyRecord:
    """Read a record written by :func:`write_record`.

    Args:
        path: The file.
        kind: The class of the record.
        version: Newest supported ``schema_version``.

    Raises:
        ModelFileError: The file is missing, damaged, or written by a newer phase2.
    """
    return parse_record(read_limited(path), kind, where=str(path), version=version)


def parse_record(content: bytes, kind: type[AnyRecord], *, where: str, version: int = 1) -> AnyRecord:
    """Parse the content of a record's file.

    Args:
        content: The JSON.
        kind: The class of the record.
        where: Name of the file in error messages.
        version: Newest supported ``schema_version``.

    Raises:
        ModelFileError: The content is damaged, or written by a newer phase2.
    """
    try:
        _check_length(content, where)
        found = _Versioned.model_validate_json(content, strict=True).schema_version
        if found > version:
            raise ModelFileError(
                f"{where} has format {found}; this version of phase2 reads formats up to {version}.",
                why="A newer phase2 wrote it.",
                fix="Install that version of phase2.",
            )
        return kind.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise _damaged(where, error) from error


def write_rows(path: Path, rows: tuple[AnyRecord, ...]) -> None:
    """Write a JSON list of records, atomically."""
    write_text(path, to_json([row.model_dump(mode="json") for row in rows]))


def read_rows(path: Path, kind: type[AnyRecord]) -> tuple[AnyRecord, ...]:
    """Read a list of records written by :func:`write_rows`.

    Raises:
        ModelFileError: The file is missing or damaged.
    """
    return parse_rows(read_limited(path), kind, where=str(path))


def parse_rows(content: bytes, kind: type[AnyRecord], *, where: str) -> tuple[AnyRecord, ...]:
    """Parse the content of a file that holds a JSON list of records.

    Raises:
        ModelFileError: It is damaged.
    """
    _check_length(content, where)
    try:
        return TypeAdapter(tuple[kind, ...]).validate_json(content, strict=True)  # type: ignore[valid-type]
    except ValidationError as error:
        raise _damaged(where, error) from error


def to_json(content: object) -> str:
    """Serialise to JSON: indented, UTF-8, without NaN."""
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_limited(path: Path) -> bytes:
    """Read a file of a run that is parsed whole.

    Raises:
        ModelFileError: It is missing, or larger than any that phase2 writes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read.", why=f"{error.strerror}.", fix="Name the folder of a run."
        ) from error
    _check_length(content, str(path))
    return content


def first_error(error: ValidationError) -> str:
    """Say where a record is wrong, and in what."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))[:200]
    return f"At '{place}': {first['msg']}" if place else first["msg"]


def _check_length(content: bytes, where: str) -> None:
    if len(content) > MAX_BYTES:
        raise ModelFileError(f"{where} is damaged.", why=f"It has more than {MAX_BYTES:,} bytes.", fix=_FIX)


def _damaged(where: str, error: ValidationError) -> ModelFileError:
    return ModelFileError(f"{where} is damaged.", why=f"{first_error(error)}.", fix=_FIX)
