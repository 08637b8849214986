"""Files of a run as they were published, in a bucket that keeps what was overwritten since."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from phase2.errors import RequestError
from phase2.runs.artifacts import Artifact
from phase2.runs.keys import manifest_key
from phase2.storage.base import Store
from phase2.storage.protection import ProtectedStore

_LOG = logging.getLogger(__name__)


def pin_manifest(store: Store, prefix: str) -> tuple[Store, bool]:
    """Return the store as it reads the first manifest of a run, and whether that one was overwritten since.

    The manifest is stored once, under a free key: a later version is what somebody else made of it.

    Args:
        store: The store; the same one is returned where it keeps no earlier versions.
        prefix: Prefix of the run's keys: ``<family>/<name>``.
    """
    key = manifest_key(prefix)
    if not isinstance(store, ProtectedStore):
        return store, False
    versions = _replaced(store, key).get(key)
    return (store, False) if versions is None else (store.pinned({key: versions[0]}), True)


def pin_files(store: Store, prefix: str, artifacts: Iterable[Artifact]) -> tuple[Store, frozenset[str]]:
    """Return the store as it reads the files that a manifest lists, and the paths of those overwritten since.

    The version of a file is the oldest with the digest of the manifest. Who reads it compares the content with that,
    as for any other file.

    Args:
        store: The store.
        prefix: Prefix of the run's keys.
        artifacts: Files of the manifest.
    """
    if not isinstance(store, ProtectedStore):
        return store, frozenset()
    listed = {f"{prefix}/{artifact.path}": artifact for artifact in artifacts}
    folders = {key.rpartition("/")[0] for key in listed}
    versions = {key: found for folder in folders for key, found in _replaced(store, f"{folder}/").items()}
    pins: dict[str, str] = {}
    for key in versions.keys() & listed.keys():
        version = _matching(store, key, versions[key], listed[key].sha256)
        if version is not None and version != versions[key][-1]:
            pins[key] = version
    return store.pinned(pins), frozenset(listed[key].path for key in pins)


def _matching(store: ProtectedStore, key: str, versions: Sequence[str], sha256: str) -> str | None:
    for version in versions:
        info = store.pinned({key: version}).head(key)
        if info is not None and info.sha256 == sha256:
            return version
    return None


def _replaced(store: ProtectedStore, prefix: str) -> Mapping[str, Sequence[str]]:
    try:
        return store.replaced(prefix)
    except RequestError as error:  # the keys may not ask, or the server not say
        _LOG.info("Earlier versions of '%s' are not known: %s", prefix, error)
        return {}
