"""The graph store of a data set: built once, in parallel, then memory-mapped."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from phase2.config.limits import DEFAULT_LIMITS, ReadingLimits
from phase2.config.schema import GraphSpec
from phase2.data.graphs.packed import PackedGraphs
from phase2.data.graphs.packing import Rejection, Remark
from phase2.data.sources.base import Source
from phase2.data.store.builder import build_files
from phase2.data.store.cache_folder import cache_folder_errors
from phase2.data.store.checked import CHECKED, find_difference
from phase2.data.store.files import FORMAT, READING, read_graph_files
from phase2.data.store.prebuilt import PrebuiltGraphs
from phase2.data.store.relabelled import OtherRecordsError, ReadsLabels
from phase2.data.store.unfinished import lock_file, remove_leftovers
from phase2.data.store.workers import Packed
from phase2.errors import DataError, RequestError
from phase2.machine.hardware import available_cores
from phase2.properties import PROPERTIES, Property
from phase2.storage.disk.lock import wait_for_lock
from phase2.storage.progress import ProgressCallback

MAX_WORKERS = 16  # beyond that the parent, which reads the file, is the bottleneck

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class GraphStore:
    """Graphs of a data set on disk.

    Attributes:
        graphs: All valid crystals in the order of the source, memory-mapped.
        rejected: Records that are no valid crystal, with the reasons.
        remarks: What was assumed or left out in reading the others.
        path: Folder of the store.
        fingerprint: SHA-256 of the format, the source's content, the graph settings, and the properties beyond the nine
            where there are any.
    """

    graphs: PackedGraphs
    rejected: tuple[Rejection, ...]
    remarks: tuple[Remark, ...]
    path: Path
    fingerprint: str

    @property
    def cache_name(self) -> str:
        """Beginning of the names of what is derived from the store in the cache."""
        return _cache_name(self.fingerprint)


def open_or_build_store(
    source: Source,
    spec: GraphSpec,
    *,
    cache_dir: Path,
    workers: int | None = None,
    limits: ReadingLimits = DEFAULT_LIMITS,
    progress: ProgressCallback | None = None,
) -> GraphStore:
    """Open the graph store of a data set, building it if there is none or if it is damaged.

    A store appears completely or not at all: it is written to another folder and renamed. Of several processes that
    need the same store, one builds it and the others wait. Its content does not depend on the number of workers, nor on
    whether its builder was killed: the next one continues from the shards that are on the disk.

    Args:
        source: The data set.
        spec: Cutoff and number of neighbours.
        cache_dir: Stores are kept in its folder ``graphs``.
        workers: Largest number of processes that parse and pack; None for one per core that this process may use.
            Others are started only when building takes longer than starting them, or when there are files to read.
        limits: Limits of reading, those that the source has.
        progress: Callback receiving the number of records done while building.

    Raises:
        DataError: The source cannot be read or holds no valid crystal.
        RequestError: The cache folder cannot be written, or the number of workers is not positive.
        TransientError: The disk is full, or a worker was killed.
    """
    processes = worker_count(workers)
    fingerprint = _fingerprint(source, spec, limits, source.properties[len(PROPERTIES) :])
    folder = cache_dir / "graphs" / _cache_name(fingerprint)
    if (store := _open(folder, fingerprint, log=logging.DEBUG)) is not None:
        return store
    with cache_folder_errors(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with wait_for_lock(lock_file(folder), purpose=f"building the graphs of '{source.name}'") as locked:
        if (store := _open(folder, fingerprint)) is not None:
            return store
        if locked:
            remove_leftovers(folder)
        if not _fetch(source, fingerprint, folder, spec, limits, source.properties):
            build = partial(
                build_files, source, spec, folder, fingerprint=fingerprint, workers=processes, limits=limits,
                progress=progress, resumable=locked,
            )  # fmt: skip
            base = _with_fewer_properties(source, spec, limits, folder.parent)
            try:
                build(base=base)
            except OtherRecordsError as error:
                _LOG.warning("%s All graphs of '%s' are built.", error, source.name)
                build()
    return GraphStore(*read_graph_files(folder, fingerprint), folder, fingerprint)


def worker_count(workers: int | None) -> int:
    """Return the number of processes that build a store: the requested one, or one per core.

    Raises:
        RequestError: The number is not positive.
    """
    if workers is None:
        return min(math.ceil(available_cores()), MAX_WORKERS)
    if workers < 1:
        raise RequestError(f"--workers {workers} is not a positive number.", fix="Give 1 or more.")
    return workers


def _fingerprint(source: Source, spec: GraphSpec, limits: ReadingLimits, own: Sequence[Property]) -> str:
    content = [FORMAT, source.fingerprint, spec.digest]
    if limits != DEFAULT_LIMITS:
        content.append(limits.digest)
    if own:
        # What decides the numbers of the store; bounds, transforms and titles are applied to these later.
        content.append(json.dumps([[p.key, p.column, p.unit, p.task] for p in own]))
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _cache_name(fingerprint: str) -> str:
    return f"{fingerprint[:32]}-{READING}"


def _with_fewer_properties(source: Source, spec: GraphSpec, limits: ReadingLimits, stores: Path) -> Packed | None:
    """Find the graphs of a source with properties of one's own among those that have the nine alone, here or fetched.

    None for the nine, and where nobody has built them.
    """
    if len(source.properties) <= len(PROPERTIES) or not isinstance(source, ReadsLabels):
        return None
    fingerprint = _fingerprint(source, spec, limits, ())
    folder = stores / _cache_name(fingerprint)
    if (store := _open(folder, fingerprint, log=logging.DEBUG)) is None:
        with wait_for_lock(lock_file(folder), purpose=f"fetching the graphs of '{source.name}'"):
            store = _open(folder, fingerprint, log=logging.DEBUG)
            if store is None and _fetch(source, fingerprint, folder, spec, limits, PROPERTIES):
                store = _open(folder, fingerprint)
    return None if store is None else Packed(store.graphs, store.rejected, store.remarks)


def _fetch(
    source: Source,
    fingerprint: str,
    folder: Path,
    spec: GraphSpec,
    limits: ReadingLimits,
    properties: Sequence[Property],
) -> bool:
    """Fetch the graph store where somebody has built it already; return whether it is there and right."""
    if not isinstance(source, PrebuiltGraphs):
        return False
    fetched = folder.with_name(f"{folder.name}.fetched")
    with cache_folder_errors(folder.parent):
        if folder.exists():
            shutil.rmtree(folder)  # damaged
    if not fetched.exists() and not source.fetch_graphs(fingerprint, fetched):
        return False
    is_right = False
    if (store := _open(fetched, fingerprint)) is not None:
        # Digests say that the files are those which somebody stored; only the data set's own files say what is right.
        with source.files_to_check(CHECKED, properties) as files:
            difference = find_difference(store.graphs, store.rejected, files, spec, limits)
        is_right = not difference
        if difference:
            _LOG.warning(_OTHER_GRAPHS, source.name, difference)
    with cache_folder_errors(folder.parent):
        if is_right:
            fetched.rename(folder)
        else:
            shutil.rmtree(fetched)
    return is_right


_OTHER_GRAPHS = "The graphs of '%s' that were pushed are not those of its files: %s They are built from the files."


def _open(folder: Path, fingerprint: str, log: int = logging.WARNING) -> GraphStore | None:
    if not folder.exists():
        return None
    try:
        files = read_graph_files(folder, fingerprint)
    except DataError as error:
        _LOG.log(log, "%s It is rebuilt.", error)
        return None
    return GraphStore(*files, folder, fingerprint)
