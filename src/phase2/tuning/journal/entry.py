"""One entry of a journal: operations that were appended together, with a checksum of its own."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

Operation = dict[str, Any]
"""One operation in Optuna's own terms, JSON."""


class _Body(BaseModel):
    writer: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """Operations that are written together.

    Attributes:
        operations: The operations, in order.
        writer: Random name of the attempt to write it: two writers never write equal entries.
    """

    operations: tuple[Operation, ...]
    writer: str = field(default_factory=lambda: uuid.uuid4().hex)

    def encode(self) -> bytes:
        """Return the content of the entry's object: the checksum in the first line, JSON in the second."""
        body = json.dumps({"writer": self.writer, "operations": self.operations}, separators=(",", ":")).encode()
        return hashlib.sha256(body).hexdigest().encode() + b"\n" + body + b"\n"

    @classmethod
    def decode(cls, content: bytes) -> Entry | None:
        """Read the content of an entry's object; None where it is torn, damaged, or no entry.

        Example:
            >>> entry = Entry(({"op_code": 0},))
            >>> Entry.decode(entry.encode()) == entry, Entry.decode(entry.encode()[:-5])
            (True, None)
        """
        digest, _, body = content.removesuffix(b"\n").partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        try:
            found = _Body.model_validate_json(body)
        except ValidationError:
            return None
        return cls(found.operations, found.writer)
