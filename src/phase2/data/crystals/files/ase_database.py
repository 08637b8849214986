"""Databases of ASE (SQLite), opened to be read alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from phase2.config.limits import ReadingLimits
from phase2.data.crystals.files.content import Content, Record
from phase2.data.crystals.files.json_cursor import Unreadable
from phase2.data.crystals.shown import cut
from phase2.errors import DataError

if TYPE_CHECKING:
    from ase.db.row import AtomsRow

_FIRST = ("name", "material_id", "mp_id", "jid")

_JOURNAL = bytes.fromhex("d9d505f920a163d7")  # of the file format of SQLite, section "The Rollback Journal"


def read_ase_database(content: Content, limits: ReadingLimits) -> Iterator[Record]:
    """Yield a record for each row: its atoms, its key-value pairs and what its ``data`` says of the id.

    Raises:
        DataError: The file is no database of ASE, is compressed, or is damaged.
    """
    if content.path is None:
        raise DataError(
            f"{content.subject} cannot be read.", why="A database is read where it lies.", fix="Unpack it first."
        )
    _refuse_unfinished(content.path)
    try:
        database = _open(content.path)
        seen: set[object] = set()
        for row in database.select(sort="id"):
            if row.natoms > limits.atoms:
                error = limits.exceeded("atoms", f"Row {row.id}", f"it has {row.natoms:,} atoms")
                yield str(row.id), Unreadable.beyond(error)
            else:
                yield str(row.id), _record(row, seen)
    except (sqlite3.Error, OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        raise DataError(
            f"{content.subject} is no database of ASE that can be read.",
            why=_reason(error),
            fix="Write it again with ase.db.connect(path), or convert it: python -m ase.db.convert FILE.",
        ) from error


def _refuse_unfinished(path: Path) -> None:
    """Refuse a database beside which are changes that it lacks: a reader that writes nothing would not see them."""
    for beside in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-journal")):
        try:
            with beside.open("rb") as file:
                begin = file.read(len(_JOURNAL))
        except OSError:
            continue
        if begin == _JOURNAL or (begin and beside.name.endswith("-wal")):
            raise DataError(
                f"{path} is not complete.",
                why=f"{beside.name} holds changes of a program that still writes, or was ended.",
                fix="Close the program; if none is there, write the database anew: sqlite3 FILE VACUUM.",
            )


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "readonly database" in text:  # ASE would make its tables
        return "It has no table of structures."
    return f"{cut(text, 200) or type(error).__name__}."


def _record(row: AtomsRow, seen: set[object]) -> dict[str, object]:
    pairs: Mapping[str, object] = row.key_value_pairs
    data = row.data if isinstance(row.data, Mapping) else {}
    own = next((value for value in (data.get("id"), *map(pairs.get, _FIRST)) if isinstance(value, str)), None)
    if own == pairs.get("name") and own in seen:  # a formula, for instance, which several rows have
        own = None
    seen.add(own)
    names = {"id": row.id if own is None else own}
    return {
        **pairs,
        **names,
        "numbers": row.numbers.tolist(),
        "positions": row.positions.tolist(),
        "cell": row.cell.tolist(),
        "pbc": row.pbc.tolist(),
    }


def _open(path: Path):  # type: ignore[no-untyped-def]
    from ase.db.sqlite import SQLite3Database

    class ReadOnly(SQLite3Database):  # type: ignore[misc]
        """Database whose connection can write nothing, and runs no code that the schema of a file names."""

        def _connect(self) -> sqlite3.Connection:
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
            connection.execute("PRAGMA trusted_schema=OFF")
            return connection

    return ReadOnly(str(path), create_indices=False, use_lock_file=False)
