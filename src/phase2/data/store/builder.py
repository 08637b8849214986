"""Building a graph store: records are packed in chunks, written to a temporary folder and renamed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np

from phase2 import __version__
from phase2.config.limits import ReadingLimits
from phase2.config.schema import GraphSpec
from phase2.data.graphs.packing import Rejection
from phase2.data.sources.base import RawRecord, Source
from phase2.data.store.cache_folder import cache_folder_errors
from phase2.data.store.files import FORMAT, GraphWriter
from phase2.data.store.workers import Packed, pack_chunks
from phase2.errors import DataError
from phase2.storage.disk.atomic import sync_folder
from phase2.storage.disk.lock import is_locked
from phase2.storage.progress import ProgressCallback

CHUNK = 256  # records per task; the same for any number of workers


def build_files(
    source: Source,
    spec: GraphSpec,
    folder: Path,
    *,
    fingerprint: str,
    workers: int,
    limits: ReadingLimits,
    progress: ProgressCallback | None = None,
) -> None:
    """Build the files of a graph store, in a temporary folder that is renamed when it is complete.

    Args:
        source: The data set.
        spec: Cutoff and number of neighbours.
        folder: Folder of the store; a damaged store there is replaced.
        fingerprint: SHA-256 of the format, the source's content and the graph settings.
        workers: Largest number of processes that parse and pack.
        limits: Limits of reading.
        progress: Callback receiving the number of records done.

    Raises:
        DataError: The source cannot be read or holds no valid crystal.
        RequestError: The cache folder cannot be written.
        TransientError: The disk is full, or a worker was killed.
    """
    with cache_folder_errors(folder.parent):
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".tmp"))
    try:
        with cache_folder_errors(folder.parent):
            new = GraphWriter(temporary)
        with closing(new) as writer:
            n, rejected = _write(
                writer, pack_chunks(source, spec, _chunks(source), workers, limits), progress, folder.parent
            )
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
            with cache_folder_errors(folder.parent):
                writer.finish(meta, rejected)
                temporary.chmod(0o755)  # mkdtemp's folders are private, but a cache may be shared
                _move(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary folders of killed builders: those whose lock nobody holds."""
    for leftover in folder.parent.glob(".*.tmp"):
        store = folder.parent / leftover.name.split(".")[1]
        if store == folder or is_locked(lock_file(store)) is False:
            shutil.rmtree(leftover, ignore_errors=True)


def lock_file(folder: Path) -> Path:
    """Return the lock file that a builder of the store in ``folder`` holds."""
    return folder.with_name(f"{folder.name}.lock")


def _write(
    writer: GraphWriter, packed: Generator[Packed, None, None], progress: ProgressCallback | None, folder: Path
) -> tuple[int, list[Rejection]]:
    """Pack all records into the writer; return the number of crystals and the rejections."""
    n, done = 0, 0
    rejected: list[Rejection] = []
    with closing(packed) as parts:
        for graphs, refused in parts:
            with cache_folder_errors(folder):
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
        shutil.rmtree(folder)  # damaged: a valid store is never rebuilt
    temporary.rename(folder)
    sync_folder(folder.parent)


def _nothing_valid(source: Source, rejected: list[Rejection]) -> DataError:
    if not rejected:
        return DataError(f"The data set '{source.name}' is empty.", fix="Give a data set with at least one crystal.")
    reasons = " ".join(r.reason for r in rejected[:3])
    return DataError(
        f"None of the {len(rejected)} records of '{source.name}' is a valid crystal.",
        why=f"The first reasons: {reasons}",
        fix="Check that the data set is the one you meant.",
    )
