"""Pushing a data set and its packed graphs into a store: whole or not at all, and once.

The address of a data set is the SHA-256 of its content, so that nothing has to be agreed on: whoever pushes the same
data stores the same objects. First come the files of the data set, then the files of its graph store and their
manifest, and last the manifest of the data set, without which there is none. A push that is killed leaves files that
nobody reads, and the next one keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from phase2 import __version__
from phase2.config.data.addresses import CONTENT
from phase2.data.store.store import GraphStore
from phase2.data.stored.content import ContentFile, address_of, local_files, read_content, total_bytes
from phase2.data.stored.manifest import (
    GRAPHS,
    DataManifest,
    DataMissingError,
    GraphsManifest,
    graphs_prefix,
    manifest_key,
    read_data_manifest,
    read_graphs_manifest,
    source_prefix,
)
from phase2.data.stored.upload import Upload
from phase2.errors import DataError, RequestError
from phase2.storage.base import ObjectExistsError, Store, check_key
from phase2.storage.parallel import ByteCounter
from phase2.storage.progress import ProgressCallback
from phase2.storage.records import Record, to_json


@dataclass(frozen=True, slots=True)
class LocalData:
    """A data set of this machine with its content.

    Attributes:
        path: The file or folder.
        files: Its files.
    """

    path: Path
    files: tuple[ContentFile, ...]

    @classmethod
    def read(cls, path: Path) -> LocalData:
        """Hash the files of a data set.

        Raises:
            DataError: A file cannot be read, or has a name that no store takes.
        """
        files = read_content(path)
        for file in files:
            if reason := _unfit(file.path):
                raise DataError(f"'{file.path}' in {path} cannot be stored.", why=reason, fix="Rename it.")
        return cls(path, files)

    @property
    def address(self) -> str:
        """Address of its content."""
        return address_of(self.files)


@dataclass(frozen=True, slots=True)
class Pushed:
    """The outcome of a push.

    Attributes:
        address: Address of the data set.
        files: Number of its files and of those of its graph store.
        uploaded: Number of files that were stored.
    """

    address: str
    files: int
    uploaded: int

    @property
    def already(self) -> bool:
        """Whether everything was there."""
        return not self.uploaded


def push_data(
    store: Store,
    data: LocalData,
    graphs: GraphStore,
    source_fingerprint: str,
    *,
    progress: ProgressCallback | None = None,
) -> Pushed:
    """Push a data set with its graph store, unless both are there. It can be called again after any interruption.

    What is damaged or missing in the store is stored again.

    Args:
        store: The store.
        data: The data set.
        graphs: Its graph store.
        source_fingerprint: Fingerprint of the data set as a source.
        progress: Callback receiving bytes done and bytes in all.

    Raises:
        DataError: A file has changed since it was hashed, or what is stored is damaged.
        RequestError: The store cannot be used, or the keys may not store below ``data/``.
        TransientError: The store does not respond.
    """
    address, packed = data.address, read_content(graphs.path, everything=True)
    files = len(data.files) + len(packed)
    missing = _missing_manifest(store, address)
    source = Upload(source_prefix(address), local_files(data.path, data.files))
    has_source = not missing and source.is_whole(store)
    has_graphs = _has_graphs(store, address, graphs, packed)
    total = total_bytes(data.files) * (not has_source) + total_bytes(packed) * (not has_graphs)
    counter = ByteCounter(total, progress)
    uploaded = 0
    if not has_source:
        uploaded += source.store(store, counter)
    if not has_graphs:
        uploaded += _push_graphs(store, address, graphs, packed, counter)
    if missing:
        manifest = DataManifest(
            address=address,
            is_file=not data.path.is_dir(),
            files=data.files,
            fingerprint=source_fingerprint,
            crystals=len(graphs.graphs),
            rejected=len(graphs.rejected),
            pushed=datetime.now(UTC),
            phase2=__version__,
        )
        _commit(store, manifest_key(address), manifest)
    return Pushed(address, files, uploaded)


def _unfit(name: str) -> str:
    """Return why no store takes a file of this name; empty for a good one."""
    if name.endswith(".part"):
        return "Names that end in .part are those of downloads that are not complete."
    try:
        check_key(name)
    except RequestError as error:
        return error.why
    return ""


def _missing_manifest(store: Store, address: str) -> bool:
    try:
        read_data_manifest(store, address)
    except DataMissingError:
        return True
    return False


def _graphs_upload(address: str, graphs: GraphStore, files: Sequence[ContentFile]) -> tuple[str, Upload]:
    """Return the folder of a graph store, which is named after its content, and the files to store there."""
    folder = address_of(files).removeprefix(CONTENT)
    return folder, Upload(f"{graphs_prefix(address, graphs.fingerprint)}{folder}/", local_files(graphs.path, files))


def _has_graphs(store: Store, address: str, graphs: GraphStore, files: Sequence[ContentFile]) -> bool:
    """Tell whether the store has the graphs, whole where they are those that are here."""
    found = read_graphs_manifest(store, address, graphs.fingerprint)
    folder, upload = _graphs_upload(address, graphs, files)
    return found is not None and (found.folder != folder or upload.is_whole(store))


def _push_graphs(
    store: Store, address: str, graphs: GraphStore, files: Sequence[ContentFile], counter: ByteCounter
) -> int:
    """Store the files of a graph store in a folder named after their content, and then their manifest."""
    folder, upload = _graphs_upload(address, graphs, files)
    uploaded = upload.store(store, counter)
    manifest = GraphsManifest(fingerprint=graphs.fingerprint, folder=folder, files=tuple(files))
    _commit(store, graphs_prefix(address, graphs.fingerprint) + GRAPHS, manifest)
    return uploaded


def _commit(store: Store, key: str, manifest: Record) -> None:
    """Store a manifest; one that another push stored first says the same of the content."""
    try:
        store.put(key, to_json(manifest.model_dump(mode="json")).encode(), if_absent=True)
    except ObjectExistsError:
        return
