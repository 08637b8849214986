"""Limits of what is read from files: beyond one, a file or record is rejected before a parser sees it."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from phase2.config.assignments import LIMITS
from phase2.config.frozen import Frozen
from phase2.errors import LimitExceededError


class ReadingLimits(Frozen):
    """Limits of reading: what exceeds one costs its own row, never the other files and records.

    The JSON form leaves out the limits that have their defaults, as earlier versions had none.

    Attributes:
        file_bytes: Largest structure file.
        line_length: Longest line of a CIF, a POSCAR or a CSV, characters.
        number_length: Longest number in a CIF or POSCAR, and longest whole number in JSON, characters.
        atoms: Largest number of atoms in a cell.
        symmetry_operators: Largest number of symmetry operators of a CIF.
        blocks: Largest number of data blocks of a CIF.
        record_length: Longest record of a JSON data set, characters.
        name_length: Longest name of a record, characters.
        table_bytes: Largest CSV of targets.
        columns: Largest number of columns of a CSV.
        records: Largest number of records of a data set.
        unpacked_bytes: Largest content of a compressed file, and of all members of an archive.
        archive_members: Largest number of files in a zip or tar archive.
        seconds: Processor time to read one structure file, in a process of its own.
        memory_bytes: Memory that such a process may allocate.
    """

    file_bytes: int = Field(default=32_000_000, ge=1)
    line_length: int = Field(default=20_000, ge=80)
    number_length: int = Field(default=64, ge=16, le=4_000)
    atoms: int = Field(default=5_000, ge=1, le=1_000_000)
    symmetry_operators: int = Field(default=1_000, ge=1)
    blocks: int = Field(default=1_000, ge=1)
    record_length: int = Field(default=16_000_000, ge=100)
    name_length: int = Field(default=256, ge=16, le=4_096)
    table_bytes: int = Field(default=100_000_000, ge=1)
    columns: int = Field(default=1_000, ge=2)
    records: int = Field(default=10_000_000, ge=1)
    unpacked_bytes: int = Field(default=4_000_000_000, ge=1)
    archive_members: int = Field(default=10_000, ge=1)
    seconds: float = Field(default=60.0, ge=1, le=86_400)
    memory_bytes: int = Field(default=2_000_000_000, ge=500_000_000)

    def exceeded(self, limit: str, subject: str, found: str) -> LimitExceededError:
        """Build the error for something that exceeds a limit.

        Args:
            limit: Name of the limit.
            subject: The file or record.
            found: What it has, as a clause: ``it has 50,000 atoms``.
        """
        return LimitExceededError(
            f"{subject} exceeds a limit:",
            why=f"{found}; the limit {LIMITS}{limit} is {getattr(self, limit):,}.",
            fix=f"Correct or remove it, or raise the limit: --set {LIMITS}{limit}=NUMBER.",
        )

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        defaults = {name: info.default for name, info in type(self).model_fields.items()}
        return {name: value for name, value in handler(self).items() if value != defaults[name]}


DEFAULT_LIMITS = ReadingLimits()
