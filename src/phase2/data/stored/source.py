"""A data set of a store as a source: its graphs are fetched ready and checked, and its files when records are read."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from phase2.config.limits import ReadingLimits
from phase2.data.sources.base import LabelledCrystal, RawRecord, Source
from phase2.data.sources.columns import rows_of
from phase2.data.sources.registry import open_source
from phase2.data.sources.tables.source import TABLE_SUFFIXES
from phase2.data.store.cache_folder import cache_folder_errors
from phase2.data.store.relabelled import ReadsLabels
from phase2.data.stored.content import ContentFile
from phase2.data.stored.fetch import FOLDER, fetch_files, fetch_source
from phase2.data.stored.manifest import DataManifest, graphs_prefix, read_graphs_manifest, source_prefix
from phase2.properties import Property
from phase2.storage.base import Store


class StoredSource:
    """Source of a data set in a store.

    Its fingerprint is known without its files: graphs that the store has are fetched and compared with files.

    Args:
        store: The store.
        manifest: Manifest of the data set.
        cache: Cache folder.
        limits: Limits of reading.
        properties: The properties whose labels are read.
    """

    def __init__(
        self, store: Store, manifest: DataManifest, cache: Path, limits: ReadingLimits, properties: Sequence[Property]
    ) -> None:
        self._store = store
        self._manifest = manifest
        self._cache = cache
        self._limits = limits
        self.properties = tuple(properties)

    @property
    def name(self) -> str:
        """Address of the data set."""
        return self._manifest.address

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the content, hexadecimal: that of the files as a source."""
        return self._manifest.fingerprint

    @property
    def isolated(self) -> bool:
        """Whether ``parse`` hands files to a library."""
        return self.local.isolated

    def records(self) -> Iterator[RawRecord]:
        """Yield the raw records; the files are fetched first.

        Raises:
            DataError: A file is damaged.
            TransientError: The store does not respond, or the disk has too little room.
        """
        return self.local.records()

    def rows(self) -> Iterator[tuple[str, Mapping[str, object]]]:
        """See :class:`phase2.data.sources.columns.HasColumns`; the files are fetched first."""
        return rows_of(self.local)

    def parse(self, raw: RawRecord) -> LabelledCrystal:
        """Turn one record into a labelled crystal.

        Raises:
            InvalidCrystalError: The record is no valid crystal or a label is no number.
        """
        return self.local.parse(raw)

    def fetch_graphs(self, fingerprint: str, folder: Path) -> bool:
        """See ``PrebuiltGraphs.fetch_graphs``."""
        found = read_graphs_manifest(self._store, self.name, fingerprint)
        if found is None:
            return False
        prefix = f"{graphs_prefix(self.name, fingerprint)}{found.folder}/"
        fetch_files(folder, found.files, partial(self._get, prefix))
        return True

    @contextmanager
    def files_to_check(self, count: int, properties: Sequence[Property]) -> Iterator[Source]:
        """See ``PrebuiltGraphs.files_to_check``: of a folder its tables, and structures drawn anew."""
        tables = [file for file in self._manifest.files if file.path.lower().endswith(TABLE_SUFFIXES)]
        others = [file for file in self._manifest.files if file not in tables]
        if self._manifest.is_file or len(others) <= count:
            path = fetch_source(self._store, self._manifest, self._cache)
            yield open_source(str(path), self._limits, properties)
            return
        chosen = random.SystemRandom().sample(others, count)
        parent = self._cache / FOLDER
        with cache_folder_errors(parent):
            parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=parent, prefix=".check-") as folder:
            files = Path(folder, "files")
            fetch_files(files, [*tables, *chosen], partial(self._get, source_prefix(self.name)))
            yield open_source(str(files), self._limits, properties)

    def read_targets(self, raw: RawRecord) -> NDArray[np.float64]:
        """See :class:`phase2.data.store.relabelled.ReadsLabels`; the files are fetched first."""
        assert isinstance(self.local, ReadsLabels)  # noqa: S101 - files and folders do
        return self.local.read_targets(raw)

    def _get(self, prefix: str, file: ContentFile, target: Path) -> None:
        self._store.get(prefix + file.path, target, sha256=file.sha256)

    @cached_property
    def local(self) -> Source:
        """The source of the files in the cache, which are fetched if they are not there."""
        path = fetch_source(self._store, self._manifest, self._cache)
        return open_source(str(path), self._limits, self.properties)

    def __reduce__(self) -> tuple[object, ...]:
        # Worker processes read files, and need no connection to the store.
        return _same, (self.local,)


def _same(source: Source) -> Source:
    return source
