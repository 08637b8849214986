"""The files of a graph store: one .npy file per array, meta.json, rejected.csv and remarks.csv."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from phase2.data.graphs.packed import COLUMNS, ENTITIES, PackedGraphs
from phase2.data.graphs.packing import Rejection, Remark
from phase2.errors import DataError
from phase2.output.csv_text import read_csv
from phase2.storage.disk.errors import explain_os_error

FORMAT = 1
"""Of the files, and part of the fingerprints by which runs name their data."""
READING = 2
"""How labels and crystals are read. Raise it where one is read otherwise than before: what is derived from data in the
cache, whose names it is part of, is computed anew. Fingerprints stay as they are."""

REJECTED = ("id", "reason", "kind")
REMARKS = ("id", "remark")
_LIMIT = "limit"


class StoredFiles(NamedTuple):
    """What the files of a store hold.

    Attributes:
        graphs: The graphs, memory-mapped.
        rejected: Records that are no valid crystal.
        remarks: What was assumed in reading the others.
    """

    graphs: PackedGraphs
    rejected: tuple[Rejection, ...]
    remarks: tuple[Remark, ...]


def rejected_row(rejection: Rejection) -> tuple[str, str, str]:
    """Return the row of rejected.csv that :func:`read_graph_files` reads back."""
    return rejection.id, rejection.reason, _LIMIT if rejection.limit else ""


_DAMAGES = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
"""Errors of the system that say what a store is like; the others are no reason to build it again."""


def read_graph_files(folder: Path, fingerprint: str) -> StoredFiles:
    """Open the files of a store; arrays are memory-mapped.

    Raises:
        DataError: A file is missing, truncated, or of another store.
        RequestError: A file may not be read; the store may be whole.
        TransientError: Too many files are open, or the disk does not answer; the store may be whole.
    """
    try:
        meta = json.loads((folder / "meta.json").read_bytes())
        if meta["fingerprint"] != fingerprint:
            raise DataError(f"The graph store '{folder}' holds other data.")
        names = [*COLUMNS, *(f"{entity}_offset" for entity in ENTITIES[1:])]
        arrays: dict[str, Any] = {name: _map(folder / f"{name}.npy", meta["bytes"][name]) for name in names}
        # Version 0.1.0 had two columns, and no remarks.
        rows = _rows(folder / "rejected.csv", meta["rejected"])
        rejected = tuple(Rejection(row[0], row[1], row[2:] == [_LIMIT]) for row in rows)
        remarked = _rows(folder / "remarks.csv", meta["remarks"]) if "remarks" in meta else []
        return StoredFiles(PackedGraphs(**arrays), rejected, tuple(Remark(*row) for row in remarked))
    except (*_DAMAGES, ValueError, LookupError, TypeError) as error:
        raise DataError(f"The graph store '{folder}' is damaged.", why=f"{error}") from error
    except OSError as error:
        raise explain_os_error(error, folder) from error


def _rows(path: Path, count: int) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(read_csv(file))[1:]
    if len(rows) != count:
        raise DataError(f"'{path}' is truncated.")
    return rows


def _map(path: Path, size: int) -> NDArray[Any]:
    if path.stat().st_size != size:
        raise DataError(f"'{path}' has {path.stat().st_size} bytes, not {size}.")
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
