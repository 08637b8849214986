"""The graph store of a data set: built once, in parallel, then memory-mapped."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from phase2 import __version__
from phase2.config.schema import GraphSpec
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import Rejection
from phase2.data.sources.base import RawRecord, Source
from phase2.data.store.files import GraphWriter, read_files
from phase2.data.store.workers import pack_chunks
from phase2.errors import DataError, RequestError, TransientError
from phase2.machine.hardware import available_cores
from phase2.storage.disk.atomic import sync_folder
from phase2.storage.disk.lock import is_locked, wait_for_lock
from phase2.storage.progress import ProgressCallback

FORMAT = 1  # of the files and of what is in them: a change of either makes older stores invisible
CHUNK = 256  # records per task; the same for any number of workers
MAX_WORKERS = 16  # beyond that the parent, which reads the file, is the bottleneck

_LOG = logging.getLogger(__name__)
_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True, eq=False)
class GraphStore:
    """A data set as graphs on disk.

    Attributes:
        graphs: All valid crystals in the order of the source, memory-mapped.
        rejected: Records that are no valid crystal.
        path: Folder of the store.
        fingerprint: SHA-256 of the format, the source's content and the graph settings.
    """

    graphs: PackedGraphs
    rejected: tuple[Rejection, ...]
    path: Path
    fingerprint: str


def open_or_build_store(
    source: Source,
    spec: GraphSpec,
    *,
    cache_dir: Path,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> GraphStore:
    """Open the graph store of a data set, building it when there is none or when it is damaged.

    A store appears whole or not at all: it is written beside its place and renamed. Of several processes that ask for
    the same one, one builds and the others wait. Its content does not depend on the number of workers.

    Args:
        source: The data set.
        spec: How a crystal becomes a graph.
        cache_dir: Stores are kept in its folder ``graphs``.
        workers: Most processes that parse and pack; None for one per core that this process may use. This process
            works alone until it is clear that others are worth their start.
        progress: Called with (records done, None) while building.

    Raises:
        DataError: The source cannot be read or holds no valid crystal.
        RequestError: The cache folder cannot be written, or the number of workers is not positive.
        TransientError: The disk is full, or a worker was killed.
    """
    processes = worker_count(workers)
    fingerprint = _fingerprint(source, spec)
    folder = cache_dir / "graphs" / fingerprint[:32]
    if (store := _open(folder, fingerprint, log=logging.DEBUG)) is not None:
        return store
    with _disk_errors(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with wait_for_lock(_lock_file(folder), purpose=f"building the graphs of '{source.name}'") as locked:
        if (store := _open(folder, fingerprint)) is not None:
            return store
        if locked:
            _remove_leftovers(folder)
        _build(source, spec, folder, fingerprint, processes, progress)
    graphs, rejected = read_files(folder, fingerprint)
    return GraphStore(graphs, rejected, folder, fingerprint)


def _fingerprint(source: Source, spec: GraphSpec) -> str:
    return hashlib.sha256(json.dumps([FORMAT, source.fingerprint, spec.digest]).encode()).hexdigest()


def _open(folder: Path, fingerprint: str, log: int = logging.WARNING) -> GraphStore | None:
    if not folder.exists():
        return None
    try:
        graphs, rejected = read_files(folder, fingerprint)
    except DataError as error:
        _LOG.log(log, "%s It is built again.", error)
        return None
    return GraphStore(graphs, rejected, folder, fingerprint)


def _build(
    source: Source, spec: GraphSpec, folder: Path, fingerprint: str, workers: int, progress: ProgressCallback | None
) -> None:
    with _disk_errors(folder.parent):
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp"))
    try:
        with _disk_errors(folder.parent):
            new = GraphWriter(temporary)
        with closing(new) as writer:
            n, rejected = _write(writer, source, spec, workers, progress, folder.parent)
            if not n:
                raise _nothing_valid(source, rejected)
            meta = {
                "format": FORMAT,
                "fingerprint": fingerprint,
                "source": {"name": source.name, "fingerprint": source.fingerprint},
                "graph": spec.model_dump(mode="json"),
                "crystals": n,
                "versions": {"phase2": __version__, "numpy": np.__version__},
            }
            with _disk_errors(folder.parent):
                writer.finish(meta, rejected)
                temporary.chmod(0o755)  # mkdtemp's folders are for their owner alone, a cache may be shared
                _move(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(
    writer: GraphWriter, source: Source, spec: GraphSpec, workers: int, progress: ProgressCallback | None, folder: Path
) -> tuple[int, list[Rejection]]:
    """Pack all records into the writer; count the crystals and list the rejections."""
    n, done = 0, 0
    rejected: list[Rejection] = []
    with closing(pack_chunks(source, spec, _chunks(source), workers)) as parts:
        for graphs, refused in parts:
            with _disk_errors(folder):
                writer.append(graphs)
            rejected.extend(refused)
            n += len(graphs)
            done += len(graphs) + len(refused)
            if progress is not None:
                progress(done, None)
    return n, rejected


def _chunks(source: Source) -> Iterator[list[RawRecord]]:
    records = source.records()
    while chunk := list(islice(records, CHUNK)):
        yield chunk


def _move(temporary: Path, folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)  # damaged, or we would not be here
    temporary.rename(folder)
    sync_folder(folder.parent)


def _remove_leftovers(folder: Path) -> None:
    """Remove what builders that died have left: temporary folders whose lock nobody holds."""
    for leftover in folder.parent.glob(".*.tmp"):
        store = folder.parent / leftover.name.split(".")[1]
        if store == folder or is_locked(_lock_file(store)) is False:
            shutil.rmtree(leftover, ignore_errors=True)


def _lock_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def worker_count(workers: int | None) -> int:
    """Processes that build a store when so many are asked for; one per core by default.

    Raises:
        RequestError: The number is not positive.
    """
    if workers is None:
        return min(math.ceil(available_cores()), MAX_WORKERS)
    if workers < 1:
        raise RequestError(f"--workers {workers} is not a positive number.", fix="Give 1 or more.")
    return workers


def _nothing_valid(source: Source, rejected: list[Rejection]) -> DataError:
    if not rejected:
        return DataError(f"The data set '{source.name}' is empty.", fix="Give a data set with at least one crystal.")
    reasons = " ".join(r.reason for r in rejected[:3])
    return DataError(
        f"None of the {len(rejected)} records of '{source.name}' is a valid crystal.",
        why=f"The first reasons: {reasons}",
        fix="Check that the data set is the one you meant.",
    )


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _NOT_WRITABLE:
            raise RequestError(
                f"The cache folder '{folder}' cannot be written.",
                why=f"{error.strerror}.",
                fix="Set PHASE2_CACHE_DIR to a folder that can.",
            ) from error
        if error.errno in _FULL:
            raise TransientError(
                f"There is no room left in the cache folder '{folder}'.",
                why=f"{error.strerror}.",
                fix="Free some space, or set PHASE2_CACHE_DIR to a folder on a larger disk.",
            ) from error
        raise
