"""The files of a graph store: one .npy file per array, meta.json and rejected.csv."""

from __future__ import annotations

import csv
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
from phase2.storage.disk.atomic import atomic_file, sync_folder, write_text

_IN_MEMORY = ("ids", "formulas")  # of unknown width until the last one is known


class GraphWriter:
    """Writes graphs part by part, so that the memory needed does not grow with their number.

    Args:
        folder: Where the files go; must exist and be empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = {name: _GrowingArray(folder, name, c) for name, c in COLUMNS.items() if name not in _IN_MEMORY}
        self._names: dict[str, list[NDArray[np.str_]]] = {name: [] for name in _IN_MEMORY}
        self._counts: dict[str, list[NDArray[np.int64]]] = {level: [] for level in ENTITIES[1:]}

    def append(self, graphs: PackedGraphs) -> None:
        """Add graphs behind those written so far."""
        for name, file in self._files.items():
            file.append(getattr(graphs, name))
        for name, parts in self._names.items():
            parts.append(getattr(graphs, name))
        for level, counts in self._counts.items():
            counts.append(np.diff(graphs.offset(level)))

    def finish(self, meta: Mapping[str, object], rejected: Sequence[Rejection]) -> None:
        """Complete the files and push them to the disk; meta.json comes last."""
        for file in self._files.values():
            file.finish()
        for name, parts in self._names.items():
            _save(self._folder / f"{name}.npy", np.concatenate(parts))
        for level, counts in self._counts.items():
            _save(self._folder / f"{level}_offset.npy", offsets_from_counts(np.concatenate(counts)))
        rows = io.StringIO(newline="")
        csv.writer(rows).writerows([("id", "reason"), *((r.id, r.reason) for r in rejected)])
        write_text(self._folder / "rejected.csv", rows.getvalue())
        arrays = {path.stem: path.stat().st_size for path in sorted(self._folder.glob("*.npy"))}
        text = json.dumps({**meta, "rejected": len(rejected), "bytes": arrays}, indent=2)
        write_text(self._folder / "meta.json", text + "\n")
        sync_folder(self._folder)

    def close(self) -> None:
        """Let go of the files, complete or not."""
        for file in self._files.values():
            file.close()


def read_files(folder: Path, fingerprint: str) -> tuple[PackedGraphs, tuple[Rejection, ...]]:
    """Open a store's files; arrays are mapped, not read.

    Raises:
        DataError: A file is missing, cut short, or of another store.
    """
    try:
        meta = json.loads((folder / "meta.json").read_bytes())
        if meta["fingerprint"] != fingerprint:
            raise DataError(f"The graph store '{folder}' holds other data.")
        names = [*COLUMNS, *(f"{level}_offset" for level in ENTITIES[1:])]
        arrays: dict[str, Any] = {name: _map(folder / f"{name}.npy", meta["bytes"][name]) for name in names}
        with (folder / "rejected.csv").open(newline="", encoding="utf-8") as file:
            rejected = tuple(Rejection(*row) for row in csv.reader(file))[1:]
        if len(rejected) != meta["rejected"]:
            raise DataError(f"'{folder / 'rejected.csv'}' is cut short.")
        return PackedGraphs(**arrays), rejected
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The graph store '{folder}' is damaged.", why=f"{error}") from error


class _GrowingArray:
    """An .npy file whose first axis grows; numpy pads the header, so the final one fits where the first was."""

    def __init__(self, folder: Path, name: str, column: Column) -> None:
        self._column = column
        self._rows = 0
        self._file = (folder / f"{name}.npy").open("wb")
        self._header()

    def append(self, array: NDArray[np.generic]) -> None:
        self._file.write(np.ascontiguousarray(array).tobytes())
        self._rows += len(array)

    def finish(self) -> None:
        self._file.seek(0)
        self._header()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def close(self) -> None:
        with suppress(OSError):  # the disk is full, and what could not be written is about to be removed
            self._file.close()

    def _header(self) -> None:
        shape = (self._rows, *self._column.shape)
        descr = npy.dtype_to_descr(np.dtype(self._column.dtype))
        npy.write_array_header_1_0(self._file, {"descr": descr, "fortran_order": False, "shape": shape})


def _map(path: Path, size: int) -> NDArray[Any]:
    if path.stat().st_size != size:
        raise DataError(f"'{path}' has {path.stat().st_size} bytes, not {size}.")
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _save(path: Path, array: NDArray[np.generic]) -> None:
    with atomic_file(path) as file:
        np.save(file, array)
