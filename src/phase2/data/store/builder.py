"""Building a graph store: records are packed in chunks, written to an unfinished folder and renamed."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import numpy as np

from phase2 import __version__
from phase2.config.limits import ReadingLimits
from phase2.config.schema import GraphSpec
from phase2.data.sources.base import RawRecord, Source
from phase2.data.store.cache_folder import cache_folder_errors
from phase2.data.store.files import FORMAT
from phase2.data.store.relabelled import ReadsLabels, relabel_chunks
from phase2.data.store.unfinished import begin_folder, is_complete, open_writer, publish, unfinished_folder
from phase2.data.store.workers import Packed, pack_chunks
from phase2.data.store.writer import GraphWriter, Written, has_journal
from phase2.errors import DataError
from phase2.storage.progress import ProgressCallback

CHUNK = 256  # records per task; the same for any number of workers
SHARD = 64  # chunks between two commits: a killed builder loses a few seconds of work


def build_files(  # noqa: PLR0913 - keywords
    source: Source,
    spec: GraphSpec,
    folder: Path,
    *,
    fingerprint: str,
    workers: int,
    limits: ReadingLimits,
    progress: ProgressCallback | None = None,
    resumable: bool = False,
    base: Packed | None = None,
) -> None:
    """Build the files of a graph store, in another folder that is renamed when it is complete.

    Args:
        source: The data set.
        spec: Cutoff and number of neighbours.
        folder: Folder of the store; a damaged store there is replaced.
        fingerprint: SHA-256 of the format, the source's content and the graph settings.
        workers: Largest number of processes that parse and pack.
        limits: Limits of reading.
        progress: Callback receiving the number of records done.
        resumable: Whether this process holds the lock of the store: it then continues from the shards that a killed or
            interrupted builder has committed, and leaves its own.
        base: Graphs and rejected records of the same source with fewer properties: then only labels are read.

    Raises:
        DataError: The source cannot be read or holds no valid crystal.
        RequestError: The cache folder cannot be written.
        TransientError: The disk is full, or a worker was killed.
    """
    meta = {
        "format": FORMAT,
        "fingerprint": fingerprint,
        "source": {"name": source.name, "fingerprint": source.fingerprint},
        "graph": spec.model_dump(mode="json"),
    }
    versions = {"phase2": __version__, "numpy": np.__version__}
    with cache_folder_errors(folder.parent):
        unfinished = begin_folder(folder, resumable=resumable)
    with _removed_unless_committed(unfinished, resumable=unfinished == unfinished_folder(folder)):
        if not is_complete(unfinished, fingerprint):
            with cache_folder_errors(folder.parent):
                writer = open_writer(unfinished, {"fingerprint": fingerprint, "versions": versions})
            with closing(writer):
                chunks = _chunks(source, writer.written.records)
                if base is not None and isinstance(source, ReadsLabels):
                    parts = relabel_chunks(source, base, chunks)
                else:
                    parts = pack_chunks(source, spec, chunks, workers, limits)
                _write(writer, parts, progress)
                if not writer.written.crystals:
                    raise _nothing_valid(source, writer.written)
                with cache_folder_errors(folder.parent):
                    writer.finish({**meta, "crystals": writer.written.crystals, "versions": versions})
        with cache_folder_errors(folder.parent):
            publish(unfinished, folder)


@contextmanager
def _removed_unless_committed(unfinished: Path, *, resumable: bool) -> Iterator[None]:
    """Remove an unfinished store after an error, unless its shards are of use to the next builder."""
    try:
        yield
    except BaseException as error:
        # Shards of a data set that cannot be read are of no use, and they must not fill a disk that is full.
        useless = isinstance(error, DataError) or isinstance(error.__cause__, OSError)
        if useless or not resumable or not has_journal(unfinished):
            shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _write(writer: GraphWriter, parts: Generator[Packed, None, None], progress: ProgressCallback | None) -> None:
    """Write the graphs of all records that the writer does not have yet, and commit them shard by shard."""
    if progress is not None and writer.written.records:
        progress(writer.written.records, None)
    with closing(parts):
        for number, packed in enumerate(parts, start=1):
            with cache_folder_errors(writer.folder.parent):
                writer.append(*packed)
                if number % SHARD == 0:
                    writer.commit()
            if progress is not None:
                progress(writer.written.records, None)


def _chunks(source: Source, skipped: int) -> Iterator[list[RawRecord]]:
    records = islice(source.records(), skipped, None)
    while chunk := list(islice(records, CHUNK)):
        yield chunk


def _nothing_valid(source: Source, written: Written) -> DataError:
    if not written.rejected:
        return DataError(f"The data set '{source.name}' is empty.", fix="Give a data set with at least one crystal.")
    return DataError(
        f"None of the {written.rejected} records of '{source.name}' is a valid crystal.",
        why=f"The first reasons: {' '.join(written.reasons)}",
        fix="Check that the data set is the one you meant.",
    )
