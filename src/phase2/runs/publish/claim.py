"""Who publishes under a name: one publisher at a time, and the next one when it was killed (``.publishing``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from phase2.errors import TransientError
from phase2.runs.artifacts import Artifact
from phase2.runs.keys import CLAIM, is_hidden, manifest_key, stored_digest
from phase2.runs.manifest import RunManifest
from phase2.storage.base import ObjectExistsError, ObjectInfo, ObjectMissingError, Store

# A publisher that was killed is never heard of again; one that is alive has put its manifest by then.
CLAIM_HOLDS = timedelta(hours=1)
# The next attempt at a run need not wait for the one before it, which has most likely been killed: what it left is
# replaced, and should it still be alive, whoever reads back the own files first puts the manifest.
SAME_RUN_HOLDS = timedelta(seconds=30)


@dataclass(slots=True)
class PublishClaim:
    """Keeps publishers of other content away: of two that differ, neither may mix its files with the other's.

    Attributes:
        store: The store.
        prefix: Where the run lies in it.
        manifest: Manifest of the run to publish.
        words: Digest of the manifest and id of the run that are claimed for.
        taken_over: Whether it was taken from a publisher that has most likely been killed, or may have been in an
            earlier call. Should that publisher be alive, it may still store a file, or its manifest.
    """

    store: Store
    prefix: str
    manifest: RunManifest
    words: str
    taken_over: bool = False

    @property
    def key(self) -> str:
        """Key of the claim."""
        return f"{self.prefix}/{CLAIM}"

    def take(self) -> None:
        """Claim the name, also from a publisher that has most likely been killed.

        Raises:
            TransientError: Another publisher is at work on it.
        """
        try:
            self.store.put(self.key, self.words.encode(), if_absent=True)
        except ObjectExistsError:
            found = self._found()
            info = self.store.head(self.key)
            if not found or info is None:
                return  # it has just come to its end
            if found == self.words:
                self.taken_over = True  # an earlier call for the same run may have been killed after it took over
                return
            holds = SAME_RUN_HOLDS if found.endswith(f" {self.manifest.run_id}") else CLAIM_HOLDS
            if datetime.now(UTC) - info.modified < holds:
                raise TransientError(
                    f"Another publisher is at work on '{self.prefix}' in {self.store.url}.",
                    why=f"It began at {info.modified:%Y-%m-%d %H:%M} UTC with other files under the same name.",
                    fix=f"Wait for it; if it was killed, try again {holds} (h:mm:ss) after that.",
                ) from None
            self.store.put(self.key, self.words.encode())
            self.taken_over = True

    def clear(self) -> None:
        """Remove what the publisher left that this one took over from, where it is in the way."""
        mine = {f"{self.prefix}/{artifact.path}": artifact for artifact in self.manifest.artifacts}
        for info in self.store.list(f"{self.prefix}/"):
            is_manifest = info.key == manifest_key(self.prefix)
            if is_manifest or is_hidden(info.key) or self._has(mine.get(info.key), info):
                continue
            self.store.delete(info.key)

    def _has(self, artifact: Artifact | None, info: ObjectInfo) -> bool:
        return artifact is not None and is_equal(self.store, info, artifact)

    def is_held(self) -> bool:
        """Whether the claim is still this publisher's."""
        return self._found() == self.words

    def release(self) -> None:
        """Give the name free."""
        self.store.delete(self.key)

    def _found(self) -> str:
        """Who claims it; empty when nobody does."""
        try:
            return self.store.read(self.key).decode(errors="replace")
        except ObjectMissingError:
            return ""


def is_equal(store: Store, info: ObjectInfo, artifact: Artifact) -> bool:
    """Whether an object has the content of a file of a run."""
    if info.size != artifact.bytes:
        return False
    return (info.sha256 or stored_digest(store, info.key, info.size)) == artifact.sha256
