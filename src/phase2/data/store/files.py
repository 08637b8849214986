"""The files of a graph store: one .npy file per array, meta.json and rejected.csv."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phase2.data.graphs.packed import COLUMNS, ENTITIES, PackedGraphs
from phase2.data.graphs.packing import Rejection
from phase2.errors import DataError
from phase2.output.csv_text import read_csv

FORMAT = 1  # of the files and their content: changing either makes older stores invisible

REJECTED = ("id", "reason", "kind")
_LIMIT = "limit"


def rejected_row(rejection: Rejection) -> tuple[str, str, str]:
    """Return the row of rejected.csv that :func:`read_graph_files` reads back."""
    return rejection.id, rejection.reason, _LIMIT if rejection.limit else ""


def read_graph_files(folder: Path, fingerprint: str) -> tuple[PackedGraphs, tuple[Rejection, ...]]:
    """Open the files of a store; arrays are memory-mapped.

    Raises:
        DataError: A file is missing, truncated, or of another store.
    """
    try:
        meta = json.loads((folder / "meta.json").read_bytes())
        if meta["fingerprint"] != fingerprint:
            raise DataError(f"The graph store '{folder}' holds other data.")
        names = [*COLUMNS, *(f"{entity}_offset" for entity in ENTITIES[1:])]
        arrays: dict[str, Any] = {name: _map(folder / f"{name}.npy", meta["bytes"][name]) for name in names}
        with (folder / "rejected.csv").open(newline="", encoding="utf-8") as file:
            rows = list(read_csv(file))[1:]
        # Version 0.1.0 had two columns.
        rejected = tuple(Rejection(row[0], row[1], row[2:] == [_LIMIT]) for row in rows)
        if len(rejected) != meta["rejected"]:
            raise DataError(f"'{folder / 'rejected.csv'}' is truncated.")
        return PackedGraphs(**arrays), rejected
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(f"The graph store '{folder}' is damaged.", why=f"{error}") from error


def _map(path: Path, size: int) -> NDArray[Any]:
    if path.stat().st_size != size:
        raise DataError(f"'{path}' has {path.stat().st_size} bytes, not {size}.")
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
