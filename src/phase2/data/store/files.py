"""The files of a graph store: one .npy file per array, meta.json and rejected.csv."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from phase2.data.graphs.packed import COLUMNS, ENTITIES, Column, PackedGraphs, offsets_from_counts
from phase2.data.graphs.packing import Rejection
from phase2.errors import DataError
from phase2.output.csv_text import read_csv, write_csv
from phase2.storage.disk.atomic import atomic_file, sync_folder, write_text

FORMAT = 1  # of the files and their content: changing either makes older stores invisible

_REJECTED = ("id", "reason", "kind")
_LIMIT = "limit"

_IN_MEMORY = ("ids", "formulas")  # text arrays, whose width is known with the last entry


class GraphWriter:
    """Incremental writer of a graph store, whose memory does not grow with the number of graphs.

    Args:
        folder: Folder of the files; must exist and be empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {name: _GrowingArray(folder, name, c) for name, c in COLUMNS.items() if name not in _IN_MEMORY}
        self._names: dict[str, list[NDArray[np.str_]]] = {name: [] for name in _IN_MEMORY}
        self._counts: dict[str, list[NDArray[np.int64]]] = {entity: [] for entity in ENTITIES[1:]}

    def append(self, graphs: PackedGraphs) -> None:
        """Append graphs to those written so far."""
        if not len(graphs):
            return
        for name, file in self._files.items():
            file.append(getattr(graphs, name))
        for name, parts in self._names.items():
            parts.append(getattr(graphs, name))
        for entity, counts in self._counts.items():
            counts.append(np.diff(graphs.offset(entity)))

    def finish(self, meta: Mapping[str, object], rejected: Sequence[Rejection]) -> None:
        """Complete the files and flush them to the disk; meta.json comes last."""
        for file in self._files.values():
            file.finish()
        for name, parts in self._names.items():
            _save(self._folder / f"{name}.npy", np.concatenate(parts))
        for entity, counts in self._counts.items():
            _save(self._folder / f"{entity}_offset.npy", offsets_from_counts(np.concatenate(counts)))
        rows = io.StringIO(newline="")
        kept = ((r.id, r.reason, _LIMIT if r.limit else "") for r in rejected)
        write_csv(rows, [_REJECTED, *kept], end="\r\n")
        write_text(self._folder / "rejected.csv", rows.getvalue())
        arrays = {path.stem: path.stat().st_size for path in sorted(self._folder.glob("*.npy"))}
        text = json.dumps({**meta, "rejected": len(rejected), "bytes": arrays}, indent=2)
        write_text(self._folder / "meta.json", text + "\n")
        sync_folder(self._folder)

    def close(self) -> None:
        """Close the files, complete or not."""
        for file in self._files.values():
            file.close()


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


class _GrowingArray:
    """A .npy file whose first axis grows; numpy pads the header, so that the final one fits in place of the first."""

    def __init__(self, folder: Path, name: str, column: Column) -> None:
        self._column = column
        self._rows = 0
        self._entry: tuple[int, ...] = ()
        self._file = (folder / f"{name}.npy").open("wb")

    def append(self, array: NDArray[np.generic]) -> None:
        if not self._rows:
            self._entry = self._column.shape_like(array)
            self._header()
        self._file.write(np.ascontiguousarray(array).tobytes())
        self._rows += len(array)

    def finish(self) -> None:
        self._file.seek(0)
        self._header()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def close(self) -> None:
        with suppress(OSError):  # the disk is full, and the unfinished files are about to be removed
            self._file.close()

    def _header(self) -> None:
        shape = (self._rows, *self._entry)
        descr = npy.dtype_to_descr(np.dtype(self._column.dtype))
        npy.write_array_header_1_0(self._file, {"descr": descr, "fortran_order": False, "shape": shape})


def _map(path: Path, size: int) -> NDArray[Any]:
    if path.stat().st_size != size:
        raise DataError(f"'{path}' has {path.stat().st_size} bytes, not {size}.")
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _save(path: Path, array: NDArray[np.generic]) -> None:
    with atomic_file(path) as file:
        np.save(file, array)
