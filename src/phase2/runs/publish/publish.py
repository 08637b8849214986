"""Publishing a run: its files first, its manifest last, so that a store holds the whole run or none of it."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass

from phase2.errors import DataError, RequestError, TransientError
from phase2.runs.artifacts import Artifact
from phase2.runs.identity import is_run_prefix, run_id_of
from phase2.runs.keys import manifest_key
from phase2.runs.layout import RunDirectory
from phase2.runs.publish.claim import PublishClaim
from phase2.runs.publish.conflict import OtherPublishedError
from phase2.runs.publish.markers import put_marker, remove_markers
from phase2.runs.publish.retention import check_retention, lock_files
from phase2.runs.publish.upload import store_file, verify_file
from phase2.runs.records.manifest import RunManifest, read_manifest
from phase2.runs.remote.ids import claim_run_id
from phase2.storage.base import ObjectExistsError, ObjectMissingError, Store
from phase2.storage.parallel import ByteCounter, in_parallel
from phase2.storage.progress import ProgressCallback


@dataclass(frozen=True, slots=True)
class Publication:
    """The outcome of publishing a run.

    Attributes:
        url: Address of the published run.
        uploaded: Number of files stored.
        kept: Number of files that the store already had.
        already: Whether the run was already published, before or meanwhile by another process.
    """

    url: str
    uploaded: int = 0
    kept: int = 0
    already: bool = False


def publish_run(store: Store, run: RunDirectory, *, progress: ProgressCallback | None = None) -> Publication:
    """Copy a finished run into a store.

    No file of another run is overwritten, and the manifest, which makes the files a run, is stored once every file has
    been verified in the store. After an interruption at any point it can be called again.

    Args:
        store: The destination.
        run: A run directory with its manifest.
        progress: Callback receiving bytes done and bytes in all.

    Raises:
        ModelFileError: The run has no valid manifest: it is not finished.
        DataError: A file of the run differs from what the manifest lists.
        OtherPublishedError: A run is published under the same name: another one, or this one by another process.
        RequestError: Files of another run are stored under the same name, or the store cannot be used.
        TransientError: The store does not respond, or another process is publishing under the same name.
    """
    manifest = read_manifest(run.manifest)
    content = run.manifest.read_bytes()
    prefix = _checked_prefix(run, manifest)
    url = f"{store.url.rstrip('/')}/{prefix}"
    claim = PublishClaim(store, prefix, manifest, f"{_digest(content)} {manifest.run_id}")
    check_retention(store)
    if _is_published(store, prefix, content):
        _finish(claim, content)  # a killed publisher may not have reached this step
        return Publication(url, already=True)
    remove_markers(store, prefix)
    _refuse_taken_id(store, manifest.run_id, prefix)
    claim.take()
    _refuse_published(claim, content)
    if claim.taken_over:
        claim.remove_leftovers()
    count = ByteCounter(sum(artifact.bytes for artifact in manifest.artifacts), progress)

    def send(artifact: Artifact) -> bool:
        sent = store_file(claim, run, artifact)
        count.add(artifact.bytes)
        return sent

    try:
        sent = in_parallel(send, manifest.artifacts)
        in_parallel(lambda artifact: verify_file(store, prefix, artifact), manifest.artifacts)
    except (DataError, RequestError) as error:
        if claim.is_held():
            raise
        raise _taken_over(store, prefix, content) from error  # the files are not ours any more
    already = not _commit(claim, content)
    _undo_if_deleted(claim, content)
    _finish(claim, content)
    return Publication(url, uploaded=sum(sent), kept=len(sent) - sum(sent), already=already)


def _checked_prefix(run: RunDirectory, manifest: RunManifest) -> str:
    """Return the prefix of a run's keys, which says the id of its manifest: nothing else can be pulled or deleted."""
    prefix = f"{manifest.family}/{run.name}"
    if is_run_prefix(prefix) and run_id_of(prefix) == manifest.run_id:
        return prefix
    raise RequestError(
        f"The folder {run.path} is not named after its run.",
        why=f"Its manifest says {manifest.family!r}, {manifest.run_id!r}; the name is {run.name!r}.",
        fix="Give the folder its name back: run_TIME_ID, as run_config.json and the hand-off have it.",
    )


def _is_published(store: Store, prefix: str, content: bytes) -> bool:
    """Return whether this manifest is stored; raises ``OtherPublishedError`` where another one is."""
    try:
        found = store.read(manifest_key(prefix))
    except ObjectMissingError:
        return False
    if found == content:
        return True
    raise OtherPublishedError.compare(store.url, prefix, found=found, own=content)


def _refuse_taken_id(store: Store, run_id: str, prefix: str) -> None:
    owner = claim_run_id(store, run_id, prefix)
    if owner != prefix:
        raise RequestError(
            f"The run id '{run_id}' is the id of another run in {store.url}.",
            why=f"It belongs to {owner}, this run is {prefix}.",
            fix="Keep the one that is there, or remove it first with 'phase2 runs delete'.",
        )


def _refuse_published(claim: PublishClaim, content: bytes) -> None:
    """Check again, holding the claim: its previous holder may have published in the meantime."""
    try:
        _is_published(claim.store, claim.prefix, content)
    except OtherPublishedError:
        claim.release()
        raise


def _commit(claim: PublishClaim, content: bytes) -> bool:
    """Store the manifest; of several publishers exactly one gets True."""
    store, prefix = claim.store, claim.prefix
    if not claim.is_held():
        # Another publisher of this run may have finished first; one that took over may have deleted files.
        if _is_published(store, prefix, content):
            return False
        raise _taken_over(store, prefix, content)
    try:
        store.put(manifest_key(prefix), content, sha256=_digest(content), if_absent=True)
    except ObjectExistsError:
        try:
            return not _is_published(store, prefix, content)
        except OtherPublishedError:
            if not (claim.taken_over and claim.is_held()):
                raise
        # Stored by the previous publisher, whose files are deleted; ours have just been verified. Deleted first, since
        # a version that replaces another one is what somebody else would make, and nobody reads.
        store.delete(manifest_key(prefix))
        store.put(manifest_key(prefix), content, sha256=_digest(content))
    return True


def _undo_if_deleted(claim: PublishClaim, content: bytes) -> None:
    """Delete the manifest again where the run was deleted while it was stored: its claim is gone, and files with it."""
    store, prefix = claim.store, claim.prefix
    if claim.is_held():
        return
    try:
        in_parallel(lambda artifact: verify_file(store, prefix, artifact), claim.manifest.artifacts)
    except DataError:
        with suppress(ObjectMissingError):
            if store.read(manifest_key(prefix)) == content:
                store.delete(manifest_key(prefix))
        raise TransientError(
            f"The run '{prefix}' was deleted from {store.url} while it was published.", fix="Publish again."
        ) from None


def _taken_over(store: Store, prefix: str, content: bytes) -> TransientError:
    """Make the error of a publisher that lost its claim; raise that of another run where one is published by now."""
    _is_published(store, prefix, content)
    return TransientError(f"Another publisher took over '{prefix}' in {store.url}.", fix="Publish again.")


def _finish(claim: PublishClaim, content: bytes) -> None:
    """Put the marker, lock the files and release the claim, once the manifest is stored."""
    put_marker(claim.store, claim.prefix, _digest(content))
    lock_files(claim.store, claim.prefix, claim.manifest)
    claim.release()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
