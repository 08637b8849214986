"""Where a data set is in a store, and the manifests that make its files one: written last, believed if they match."""

from __future__ import annotations

from typing import TypeVar

from pydantic import AwareDatetime, ValidationError

from phase2.config.data.addresses import CONTENT, check_content
from phase2.data.stored.content import ContentFile, address_of
from phase2.errors import DataError, RequestError
from phase2.storage.base import ObjectMissingError, Store, check_key
from phase2.storage.records import Counted, Record, first_error

SETS = "data/sets/"
"""Folder of the data sets in a store."""
MANIFEST, GRAPHS = "data.json", "graphs.json"
_VERSION = 1

AnyManifest = TypeVar("AnyManifest", "DataManifest", "GraphsManifest")


class DataMissingError(RequestError):
    """No data set in the store under an address."""


class DataManifest(Record):
    """The record of a data set in a store.

    Attributes:
        schema_version: Format of this file.
        address: Address of the content: ``sha256:`` and 64 digits.
        is_file: Whether the data set is one file, and no folder.
        files: Its files, sorted by path.
        fingerprint: Fingerprint of the data set as a source: graph stores are found by it.
        crystals: Valid crystals of the data set.
        rejected: Records that are no valid crystal.
        pushed: When it was pushed.
        phase2: Version that pushed it.
    """

    schema_version: Counted = _VERSION
    address: str
    is_file: bool
    files: tuple[ContentFile, ...]
    fingerprint: str
    crystals: Counted
    rejected: Counted
    pushed: AwareDatetime
    phase2: str


class GraphsManifest(Record):
    """The record of a packed graph store of a data set.

    Attributes:
        schema_version: Format of this file.
        fingerprint: Fingerprint of the graph store: of its format, the data set's content, and the settings.
        folder: Digest of its files, which is the name of their folder.
        files: Its files.
    """

    schema_version: Counted = _VERSION
    fingerprint: str
    folder: str
    files: tuple[ContentFile, ...]


def prefix_of(address: str) -> str:
    """Return the prefix of a data set's keys, with its slash."""
    return f"{SETS}{check_content(address)}/"


def source_prefix(address: str) -> str:
    """Return the prefix of the keys of its own files."""
    return f"{prefix_of(address)}source/"


def graphs_prefix(address: str, fingerprint: str) -> str:
    """Return the prefix of the keys of one of its graph stores."""
    return f"{prefix_of(address)}graphs/{fingerprint}/"


def manifest_key(address: str) -> str:
    """Return the key of a data set's manifest."""
    return prefix_of(address) + MANIFEST


def read_data_manifest(store: Store, address: str) -> DataManifest:
    """Read the manifest of a data set.

    Raises:
        DataMissingError: There is none: the data set is not in the store, or not yet whole.
        DataError: It is damaged, or that of another content.
    """
    key = manifest_key(address)
    try:
        content = store.read(key)
    except ObjectMissingError:
        raise DataMissingError(
            f"There is no data set {address} in {store.url}.",
            why="A data set is there once it has been pushed completely.",
            fix="'phase2 data list' shows what is there; 'phase2 data push' adds to it.",
        ) from None
    found = _parse(content, DataManifest, f"{store.url.rstrip('/')}/{key}")
    if (found.address, address_of(found.files)) != (address, address):
        raise DataError(
            f"{key} in {store.url} is not the manifest of {address}.",
            why="The files that it lists have another content.",
            fix="Remove the data set with 'phase2 data prune', and push it again.",
        )
    return found


def read_graphs_manifest(store: Store, address: str, fingerprint: str) -> GraphsManifest | None:
    """Read the manifest of a graph store of a data set; None without one.

    Raises:
        DataError: It is damaged, or that of another graph store.
    """
    key = graphs_prefix(address, fingerprint) + GRAPHS
    try:
        content = store.read(key)
    except ObjectMissingError:
        return None
    found = _parse(content, GraphsManifest, f"{store.url.rstrip('/')}/{key}")
    if (found.fingerprint, CONTENT + found.folder) != (fingerprint, address_of(found.files)):
        raise DataError(f"{key} in {store.url} is not the manifest of that graph store.", why="It names another one.")
    return found


def _parse(content: bytes, kind: type[AnyManifest], where: str) -> AnyManifest:
    try:
        found = kind.model_validate_json(content, strict=True)
        for file in found.files:
            check_key(file.path)
    except (ValidationError, RequestError) as error:
        why = f"{first_error(error)}." if isinstance(error, ValidationError) else str(error)
        raise DataError(
            f"{where} is damaged, or written by a newer phase2.",
            why=why,
            fix="Remove the data set with 'phase2 data prune', and push it again.",
        ) from error
    return found
