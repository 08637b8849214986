"""Who publishes under a name: one publisher at a time, and the next one when it was killed (``.publishing``)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from phase2.errors import TransientError
from phase2.runs.artifacts import Artifact
from phase2.runs.manifest import RunManifest
from phase2.runs.store_keys import CLAIM, is_hidden, stored_digest
from phase2.storage.base import ObjectExistsError, ObjectInfo, ObjectMissingError, Store

# A publisher that was killed is never heard of again; one that is alive has put its manifest by then.
CLAIM_HOLDS = timedelta(hours=1)
# The next attempt at a run need not wait for the one before it, which has most likely been killed: what it left is
# replaced, and should it still be alive, whoever reads back the own files first puts the manifest.
SAME_RUN_HOLDS = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class PublishClaim:
    """Keeps publishers of other content away: of two that differ, neither may mix its files with the other's.

    Attributes:
        store: The store.
        prefix: Where the run lies in it.
        words: Digest of the manifest and id of the run that are claimed for.
    """

    store: Store
    prefix: str
    words: str

    @property
    def key(self) -> str:
        """Key of the claim."""
        return f"{self.prefix}/{CLAIM}"

    def take(self, manifest: RunManifest) -> None:
        """Claim the name, also from a publisher that has most likely been killed.

        Raises:
            TransientError: Another publisher is at work on it.
        """
        try:
            self.store.put(self.key, self.words.encode(), if_absent=True)
        except ObjectExistsError:
            info, found = self.store.head(self.key), self.found()
            if info is None or found == self.words:
                return
            holds = SAME_RUN_HOLDS if found.endswith(f" {manifest.run_id}") else CLAIM_HOLDS
            if datetime.now(UTC) - info.modified < holds:
                raise TransientError(
                    f"Another publisher is at work on '{self.prefix}' in {self.store.url}.",
                    why=f"It began at {info.modified:%Y-%m-%d %H:%M} UTC with other files under the same name.",
                    fix=f"Wait for it; if it was killed, try again {holds} (h:mm:ss) after that.",
                ) from None
            _clear(self.store, self.prefix, manifest)
            self.store.put(self.key, self.words.encode(), if_absent=True)

    def found(self) -> str:
        """Who claims it; empty when nobody does."""
        try:
            return self.store.read(self.key).decode(errors="replace")
        except ObjectMissingError:
            return ""

    def is_held(self) -> bool:
        """Whether the claim is still this publisher's."""
        return self.found() == self.words


def _clear(store: Store, prefix: str, manifest: RunManifest) -> None:
    """Remove what a publisher left that was killed and is in the way, its claim last."""
    mine = {f"{prefix}/{artifact.path}": artifact for artifact in manifest.artifacts}
    for info in store.list(f"{prefix}/"):
        if is_hidden(info.key) or (info.key in mine and is_equal(store, info, mine[info.key])):
            continue
        store.delete(info.key)
    store.delete(f"{prefix}/{CLAIM}")


def is_equal(store: Store, info: ObjectInfo, artifact: Artifact) -> bool:
    """Whether an object has the content of a file of a run."""
    if info.size != artifact.bytes:
        return False
    return (info.sha256 or stored_digest(store, info.key, info.size)) == artifact.sha256
