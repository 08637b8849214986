"""Storing the files of a run and verifying them in the store."""

from __future__ import annotations

from phase2.errors import DataError, RequestError
from phase2.runs.artifacts import Artifact
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.claim import PublishClaim, is_equal
from phase2.storage.base import ObjectExistsError, Store, check_key


def store_file(claim: PublishClaim, run: RunDirectory, artifact: Artifact) -> bool:
    """Store a file unless the store has it; return whether it was stored.

    Raises:
        RequestError: Other content is stored under the key.
    """
    store, key = claim.store, check_key(f"{claim.prefix}/{artifact.path}")
    if claim.taken_over:
        # The previous publisher may be alive and have just stored its own file.
        info = store.head(key)
        if info is not None and is_equal(store, info, artifact):
            return False
        # A condition where nothing is to be replaced: keys of training may store under free keys alone.
        try:
            store.put(key, run.path / artifact.path, sha256=artifact.sha256, if_absent=info is None)
        except ObjectExistsError:
            store.put(key, run.path / artifact.path, sha256=artifact.sha256)
        return True
    if _is_stored(store, key, artifact):
        return False
    try:
        store.put(key, run.path / artifact.path, sha256=artifact.sha256, if_absent=True)
    except ObjectExistsError:
        if not _is_stored(store, key, artifact):
            raise
        return False
    return True


def _is_stored(store: Store, key: str, artifact: Artifact) -> bool:
    info = store.head(key)
    if info is None:
        return False
    if is_equal(store, info, artifact):
        return True
    raise _other_content(store, key)


def _other_content(store: Store, key: str) -> RequestError:
    return RequestError(
        f"'{key}' is in {store.url} with other content.",
        why="Files of a run are never overwritten; a run of the same name left it there unfinished.",
        fix="Remove what is there with 'phase2 runs delete', and publish again.",
    )


def verify_file(store: Store, prefix: str, artifact: Artifact) -> None:
    """Check that a stored file has the size and SHA-256 of the manifest.

    Raises:
        DataError: It differs.
    """
    info = store.head(f"{prefix}/{artifact.path}")
    if info is None or info.size != artifact.bytes or info.sha256 not in {None, artifact.sha256}:
        raise DataError(
            f"'{prefix}/{artifact.path}' was stored, but is not intact.",
            why="Size or SHA-256 differ." if info else "It is missing.",
            fix="Publish again; if it happens again, do not rely on this store.",
        )
