"""The claim of a publisher on the name of a run (``.publishing``): one at a time, with a timeout for killed ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from phase2.errors import TransientError
from phase2.runs.artifacts import Artifact
from phase2.runs.keys import CLAIM, is_hidden, manifest_key, stored_digest
from phase2.runs.records.manifest import RunManifest
from phase2.storage.base import ObjectExistsError, ObjectInfo, ObjectMissingError, Store

# After this time a publisher has either stored its manifest or was killed.
CLAIM_TIMEOUT = timedelta(hours=1)
# The next attempt at the same run need not wait as long for the one before it, which was most likely killed: its files
# are replaced, and should it still be alive, the one that first reads its own files back stores the manifest.
SAME_RUN_CLAIM_TIMEOUT = timedelta(seconds=30)


@dataclass(slots=True)
class PublishClaim:
    """A publisher's claim on the name of a run, so that no two publishers mix their files.

    Attributes:
        store: The store.
        prefix: Prefix of the run's keys.
        manifest: Manifest of the run to publish.
        content: Content of the claim: digest of the manifest, and id of the run.
        taken_over: Whether the claim was taken over from another publisher, now or in an earlier call. That publisher
            was most likely killed; should it be alive, it may still store a file or its manifest.
    """

    store: Store
    prefix: str
    manifest: RunManifest
    content: str
    taken_over: bool = False

    @property
    def key(self) -> str:
        """Key of the claim."""
        return f"{self.prefix}/{CLAIM}"

    def take(self) -> None:
        """Claim the name, also from a publisher whose claim has timed out.

        Raises:
            TransientError: Another publisher holds the claim.
        """
        try:
            self.store.put(self.key, self.content.encode(), if_absent=True)
        except ObjectExistsError:
            holder = self._holder()
            info = self.store.head(self.key)
            if not holder or info is None:
                return  # just released
            if holder == self.content:
                self.taken_over = True  # an earlier call for the same run may have been killed after it took over
                return
            timeout = SAME_RUN_CLAIM_TIMEOUT if holder.endswith(f" {self.manifest.run_id}") else CLAIM_TIMEOUT
            if datetime.now(UTC) - info.modified < timeout:
                raise TransientError(
                    f"Another publisher is working on '{self.prefix}' in {self.store.url}.",
                    why=f"It started at {info.modified:%Y-%m-%d %H:%M} UTC with other files under the same name.",
                    fix=f"Wait for it; if it was killed, try again {timeout} (h:mm:ss) after that.",
                ) from None
            self.store.put(self.key, self.content.encode())
            self.taken_over = True

    def remove_leftovers(self) -> None:
        """Delete files of the previous publisher that this run does not have; of those it has, content is replaced."""
        own = {f"{self.prefix}/{artifact.path}" for artifact in self.manifest.artifacts} | {manifest_key(self.prefix)}
        for info in self.store.list(f"{self.prefix}/"):
            if info.key not in own and not is_hidden(info.key):
                self.store.delete(info.key)

    def is_held(self) -> bool:
        """Return whether the claim is still this publisher's."""
        return self._holder() == self.content

    def release(self) -> None:
        """Delete the claim."""
        self.store.delete(self.key)

    def _holder(self) -> str:
        """Return the content of the stored claim; empty without one."""
        try:
            return self.store.read(self.key).decode(errors="replace")
        except ObjectMissingError:
            return ""


def is_equal(store: Store, info: ObjectInfo, artifact: Artifact) -> bool:
    """Return whether an object has the content of a file of a run."""
    if info.size != artifact.bytes:
        return False
    return (info.sha256 or stored_digest(store, info.key, info.size)) == artifact.sha256
