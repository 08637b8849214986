"""Locks on the files of a published run, in a bucket with object lock (``PHASE2_S3_RETENTION_DAYS``; default none)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from phase2.errors import RequestError
from phase2.runs.keys import manifest_key
from phase2.runs.records.manifest import RunManifest
from phase2.storage.base import Store
from phase2.storage.parallel import in_parallel
from phase2.storage.protection import ProtectedStore


def check_retention(store: Store) -> None:
    """Check that files can be locked, if they are to be; before anything is stored.

    Raises:
        RequestError: The bucket has no object lock.
    """
    if isinstance(store, ProtectedStore) and store.retention_days and store.protection().lock is False:
        raise RequestError(
            f"Files in {store.url} cannot be locked for {store.retention_days} days.",
            why="The bucket has no object lock; it can be switched on when a bucket is made, and with versions later.",
            fix="Unset PHASE2_S3_RETENTION_DAYS, or use a bucket with object lock: 'phase2 doctor' says which has one.",
        )


def lock_files(store: Store, prefix: str, manifest: RunManifest) -> None:
    """Lock the files of a published run, the manifest included, for the time of the settings; nothing without one.

    Raises:
        RequestError: The keys may not lock objects (``s3:PutObjectRetention``).
    """
    if not isinstance(store, ProtectedStore) or not store.retention_days:
        return
    until = datetime.now(UTC) + timedelta(days=store.retention_days)
    keys = [*(f"{prefix}/{artifact.path}" for artifact in manifest.artifacts), manifest_key(prefix)]
    in_parallel(lambda key: store.retain(key, until), keys)
