"""Symmetry of all crystals of a graph store, found by several processes and kept beside the store."""

from __future__ import annotations

import multiprocessing
import zipfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.data.graphs.packed import PackedGraphs
from phase2.data.store.cache_folder import cache_folder_errors
from phase2.data.store.files import read_graph_files
from phase2.data.store.store import GraphStore, worker_count
from phase2.data.symmetry.prototype import Symmetry, find_symmetry
from phase2.storage.disk.atomic import atomic_file
from phase2.storage.disk.lock import wait_for_lock
from phase2.storage.progress import ProgressCallback

FORMAT = 1  # of the file, and of what a prototype is
CHUNK = 256
SERIAL = 2
"""Chunks that this process does alone: starting another takes as long."""


@dataclass(frozen=True, slots=True, eq=False)
class SymmetryTable:
    """Symmetry of B crystals.

    Attributes:
        numbers: Space group of each, (B,) int64; 0 where none is found.
        prototypes: Prototype of each, (B,) str; "" where there is no space group.
    """

    numbers: NDArray[np.int64]
    prototypes: NDArray[np.str_]

    @classmethod
    def of(cls, found: list[Symmetry]) -> SymmetryTable:
        """Make a table of single crystals."""
        numbers = np.array([one.number for one in found], dtype=np.int64)
        return cls(numbers, np.array([one.prototype for one in found], dtype=np.str_))


def symmetry_table(
    store: GraphStore, *, cache_dir: Path, workers: int | None = None, progress: ProgressCallback | None = None
) -> SymmetryTable:
    """Return the symmetry of all crystals of a store, found the first time.

    Args:
        store: The graph store; the file is named after its content.
        cache_dir: The table is kept in its folder ``symmetry``.
        workers: Processes; one per core by default.
        progress: Callback receiving the number of crystals done, and their number.

    Raises:
        RequestError: The cache folder cannot be written, or the number of workers is not positive.
        TransientError: The disk is full.
    """
    if (found := known_symmetry(store, cache_dir)) is not None:
        return found
    path = _path(store, cache_dir)
    with cache_folder_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with wait_for_lock(path.with_suffix(".lock"), purpose="finding the symmetry of the crystals"):
        if (found := known_symmetry(store, cache_dir)) is not None:
            return found
        rows: list[Symmetry] = []
        for part in _found(store, worker_count(workers)):
            rows += part
            if progress is not None:
                progress(len(rows), len(store.graphs))
        table = SymmetryTable.of(rows)
        with cache_folder_errors(path.parent), atomic_file(path) as file:
            np.savez(file, numbers=table.numbers, prototypes=table.prototypes)
        return table


def known_symmetry(store: GraphStore, cache_dir: Path) -> SymmetryTable | None:
    """Return the symmetry of all crystals of a store if it was found before; None otherwise."""
    path = _path(store, cache_dir)
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            table = SymmetryTable(file["numbers"], file["prototypes"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None  # found again, and replaced
    return table if len(table.numbers) == len(table.prototypes) == len(store.graphs) else None


def symmetries_of(graphs: PackedGraphs, index: NDArray[np.int64]) -> list[Symmetry]:
    """Find the symmetry of some crystals, in this process."""
    return [_symmetry(graphs, k) for k in index.tolist()]


def _path(store: GraphStore, cache_dir: Path) -> Path:
    return cache_dir / "symmetry" / f"{store.cache_name}-{FORMAT}.npz"


def _found(store: GraphStore, workers: int) -> Iterator[list[Symmetry]]:
    index = np.arange(len(store.graphs))
    chunks = [index[start : start + CHUNK] for start in range(0, len(index), CHUNK)]
    if workers == 1 or len(chunks) <= SERIAL:
        for chunk in chunks:
            yield symmetries_of(store.graphs, chunk)
        return
    tasks = [(store.path, store.fingerprint, chunk) for chunk in chunks]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_find, tasks)


def _find(task: tuple[Path, str, NDArray[np.int64]]) -> list[Symmetry]:
    path, fingerprint, chunk = task
    graphs = read_graph_files(path, fingerprint).graphs
    return symmetries_of(graphs, chunk)


def _symmetry(graphs: PackedGraphs, k: int) -> Symmetry:
    atoms = slice(graphs.atom_offset[k], graphs.atom_offset[k + 1])
    return find_symmetry(graphs.lattice[k], graphs.species[atoms], graphs.positions[atoms])
