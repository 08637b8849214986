"""A data set of a store as a source: its graphs are fetched ready, and its files when records are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from phase2.config.limits import ReadingLimits
from phase2.data.sources.base import LabelledCrystal, RawRecord, Source
from phase2.data.sources.columns import rows_of
from phase2.data.sources.registry import open_source
from phase2.data.stored.content import ContentFile
from phase2.data.stored.fetch import fetch_files, fetch_source
from phase2.data.stored.manifest import DataManifest, graphs_prefix, read_graphs_manifest
from phase2.properties import Property
from phase2.storage.base import Store


class StoredSource:
    """Source of a data set in a store.

    Its fingerprint is known without its files: where the store has its graphs, nothing else is fetched.

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

        def fetch(file: ContentFile, target: Path) -> None:
            self._store.get(prefix + file.path, target, sha256=file.sha256)

        fetch_files(folder, found.files, fetch)
        return True

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
