"""Features of the crystals of a graph store, computed once per crystal and kept beside the store."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.data.store.cache_folder import cache_folder_errors
from phase2.data.store.files import read_graph_files
from phase2.data.store.store import GraphStore
from phase2.foundation.featurizer import Featurizer, featurizer
from phase2.storage.disk.lock import wait_for_lock
from phase2.storage.progress import ProgressCallback

FORMAT = 1
CHUNK = 64
"""Crystals between two writes: a computation that is interrupted loses no more than these."""
SERIAL = 4
"""Chunks that are computed by this process alone: starting another takes as long."""


@dataclass(frozen=True, slots=True, eq=False)
class CachedFeatures:
    """Features of a store on disk: one row per crystal, and which rows are there.

    Attributes:
        rows: Features, (B, F) float32, memory-mapped; NaN for crystals that the potential refuses.
        done: Whether a row was computed, (B,) bool, memory-mapped.
    """

    rows: NDArray[np.float32]
    done: NDArray[np.bool_]

    @classmethod
    def open(cls, folder: Path, n_crystals: int, width: int) -> CachedFeatures:
        """Open the files of a folder, made first where there are none."""
        with cache_folder_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            rows = _mapped(folder / "rows.f32", np.dtype(np.float32), (n_crystals, width))
            return cls(rows, _mapped(folder / "done.u1", np.dtype(np.bool_), (n_crystals,)))

    def write(self, index: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        """Write rows; they count as done when they are on the disk."""
        self.rows[index] = values
        self.rows.flush()  # type: ignore[attr-defined]
        self.done[index] = True
        self.done.flush()  # type: ignore[attr-defined]


def cached_features(
    store: GraphStore,
    index: NDArray[np.int64],
    model: Featurizer,
    *,
    cache_dir: Path,
    workers: int = 1,
    progress: ProgressCallback | None = None,
) -> NDArray[np.float32]:
    """Return the features of all crystals of a store, those in ``index`` computed, the others undefined.

    Args:
        store: The graph store; the cache is named after its content and that of the potential.
        index: Crystals that are needed, as rows of the store.
        model: The potential.
        cache_dir: Features are kept in its folder ``features``.
        workers: Processes that compute.
        progress: Callback receiving the number of crystals done, and how many are needed.

    Raises:
        RequestError: The cache folder cannot be written.
        TransientError: The disk is full.
    """
    folder = cache_dir / "features" / f"{store.cache_name}-{model.digest[:16]}-{FORMAT}"
    cached = CachedFeatures.open(folder, len(store.graphs), model.width)
    if cached.done[index].all():
        return cached.rows
    with wait_for_lock(folder / ".lock", purpose=f"computing features of {model.name}"), cache_folder_errors(folder):
        missing = index[~cached.done[index]]
        done = len(index) - len(missing)
        for part, values in _computed(store, missing, model, workers):
            cached.write(part, values)
            done += len(part)
            if progress:
                progress(done, len(index))
    return cached.rows


def _computed(
    store: GraphStore, missing: NDArray[np.int64], model: Featurizer, workers: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Compute features chunk by chunk, in this process or in several."""
    # By size: crystals of one chunk need about the same memory.
    sizes = np.diff(store.graphs.atom_offset)[missing]
    ordered = missing[np.argsort(sizes, kind="stable")]
    chunks = [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]
    if workers == 1 or len(chunks) <= SERIAL:
        for chunk in chunks:
            yield chunk, model.features(store.graphs, chunk)
        return
    tasks = [(store.path, store.fingerprint, model.name, chunk) for chunk in chunks]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_one_thread) as pool:
        yield from zip(chunks, pool.map(_compute, tasks), strict=True)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _compute(task: tuple[Path, str, str, NDArray[np.int64]]) -> NDArray[np.float32]:
    path, fingerprint, name, chunk = task
    graphs = read_graph_files(path, fingerprint).graphs
    return featurizer(name).features(graphs, chunk)


def _mapped(path: Path, dtype: np.dtype, shape: tuple[int, ...]) -> np.memmap:
    size = int(np.prod(shape)) * dtype.itemsize
    if not path.exists() or path.stat().st_size != size:
        with path.open("ab") as file:
            file.truncate(size)  # a hole in the file: it takes no room until a row is written
    return np.memmap(path, dtype=dtype, mode="r+", shape=shape)
