"""Publishing a run: its files first, its manifest last, so that a store holds the whole run or none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from phase2.errors import DataError, RequestError, TransientError
from phase2.runs.artifacts import Artifact
from phase2.runs.keys import CLAIM, manifest_key
from phase2.runs.layout import RunDirectory
from phase2.runs.manifest import read_manifest
from phase2.runs.publish.claim import PublishClaim, is_equal
from phase2.runs.publish.conflict import OtherPublishedError
from phase2.runs.publish.markers import stamp_run, unstamp_run
from phase2.runs.remote.ids import claim_run_id
from phase2.storage.base import ObjectExistsError, ObjectMissingError, Store, check_key
from phase2.storage.parallel import ByteCount, in_parallel
from phase2.storage.progress import ProgressCallback


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing a run did.

    Attributes:
        url: Where the run lies.
        uploaded: Files that were stored.
        kept: Files that were there with the right content.
        already: Whether the run had been published before, or by another publisher in the meantime.
    """

    url: str
    uploaded: int = 0
    kept: int = 0
    already: bool = False


def publish_run(store: Store, run: RunDirectory, *, progress: ProgressCallback | None = None) -> Publication:
    """Copy a finished run into a store.

    Nothing that is in the store is ever overwritten, and the manifest, which makes the files a run, is stored when
    every file has been read back right. Interrupted at any point it can be called again.

    Args:
        store: Where to.
        run: A run directory with its manifest.
        progress: Is told bytes done and bytes in all.

    Raises:
        ModelFileError: The run has no manifest that can be read: it is not finished.
        DataError: A file of the run is not what the manifest lists.
        OtherPublishedError: A run is published there under the same name: another one, or this one by another process.
        RequestError: Files of another run lie there under the same name, or the store cannot be used.
        TransientError: The store does not answer, or another publisher is at work on the same name.
    """
    manifest = read_manifest(run.manifest)
    content = run.manifest.read_bytes()
    prefix = check_key(f"{manifest.family}/{run.name}")
    url = f"{store.url.rstrip('/')}/{prefix}"
    if _is_published(store, prefix, content):
        _end(store, prefix, content)  # which a publisher that was killed may not have come to
        return Publication(url, already=True)
    unstamp_run(store, prefix)
    _refuse_taken_id(store, manifest.run_id, prefix)
    claim = PublishClaim(store, prefix, manifest, f"{_digest(content)} {manifest.run_id}")
    claim.take()
    _refuse_published(claim, content)
    if claim.taken_over:
        claim.clear()
    count = ByteCount(sum(artifact.bytes for artifact in manifest.artifacts), progress)

    def send(artifact: Artifact) -> bool:
        sent = _send(claim, run, artifact)
        count.add(artifact.bytes)
        return sent

    try:
        sent = in_parallel(send, manifest.artifacts)
        in_parallel(lambda artifact: _read_back(store, prefix, artifact), manifest.artifacts)
    except (DataError, RequestError) as error:
        if claim.is_held():
            raise
        raise _overtaken(store, prefix, content) from error  # what is there is not ours any more
    already = not _commit(claim, content)
    _end(store, prefix, content)
    return Publication(url, uploaded=sum(sent), kept=len(sent) - sum(sent), already=already)


def _is_published(store: Store, prefix: str, content: bytes) -> bool:
    try:
        found = store.read(manifest_key(prefix))
    except ObjectMissingError:
        return False
    if found == content:
        return True
    raise OtherPublishedError.of(store.url, prefix, found=found, mine=content)


def _refuse_taken_id(store: Store, run_id: str, prefix: str) -> None:
    owner = claim_run_id(store, run_id, prefix)
    if owner != prefix:
        raise RequestError(
            f"The run id '{run_id}' is the id of another run in {store.url}.",
            why=f"It belongs to {owner}, this run is {prefix}.",
            fix="Keep the one that is there, or remove it first with 'phase2 runs delete'.",
        )


def _refuse_published(claim: PublishClaim, content: bytes) -> None:
    """Look once more: whoever had the claim until now may have used it to the end."""
    try:
        _is_published(claim.store, claim.prefix, content)
    except OtherPublishedError:
        claim.release()
        raise


def _send(claim: PublishClaim, run: RunDirectory, artifact: Artifact) -> bool:
    """Store a file unless it is there; says whether it was stored."""
    store, key = claim.store, check_key(f"{claim.prefix}/{artifact.path}")
    if claim.taken_over:
        # The one that was given up for dead may be alive and have just stored its own.
        info = store.head(key)
        if info is not None and is_equal(store, info, artifact):
            return False
        store.put(key, run.path / artifact.path, sha256=artifact.sha256)
        return True
    if _is_there(store, key, artifact):
        return False
    try:
        store.put(key, run.path / artifact.path, sha256=artifact.sha256, if_absent=True)
    except ObjectExistsError:
        if not _is_there(store, key, artifact):
            raise
        return False
    return True


def _is_there(store: Store, key: str, artifact: Artifact) -> bool:
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


def _read_back(store: Store, prefix: str, artifact: Artifact) -> None:
    info = store.head(f"{prefix}/{artifact.path}")
    if info is None or info.size != artifact.bytes or info.sha256 not in {None, artifact.sha256}:
        raise DataError(
            f"'{prefix}/{artifact.path}' was stored, but did not arrive as it was sent.",
            why="Size or SHA-256 differ." if info else "It is not there.",
            fix="Publish again; if it happens again, the store is not to be trusted.",
        )


def _commit(claim: PublishClaim, content: bytes) -> bool:
    """Store the manifest; of several publishers exactly one hears True."""
    store, prefix = claim.store, claim.prefix
    if not claim.is_held():
        # Whoever publishes the same may have been faster and tidied up; whoever took over may have removed files.
        if _is_published(store, prefix, content):
            return False
        raise _overtaken(store, prefix, content)
    try:
        store.put(manifest_key(prefix), content, sha256=_digest(content), if_absent=True)
    except ObjectExistsError:
        try:
            return not _is_published(store, prefix, content)
        except OtherPublishedError:
            if not (claim.taken_over and claim.is_held()):
                raise
        # Put by the one that was given up for dead, whose files are gone; ours have just been read back.
        store.put(manifest_key(prefix), content, sha256=_digest(content))
    return True


def _overtaken(store: Store, prefix: str, content: bytes) -> TransientError:
    """The error of a publisher whose claim is gone; raises that of another run when one is published by now."""
    _is_published(store, prefix, content)
    return TransientError(f"Another publisher took over '{prefix}' in {store.url}.", fix="Publish again.")


def _end(store: Store, prefix: str, content: bytes) -> None:
    """What there is to do when the manifest is stored."""
    stamp_run(store, prefix, _digest(content))
    store.delete(f"{prefix}/{CLAIM}")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
