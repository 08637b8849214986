"""A published run: reading its manifest, downloading and verifying its files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phase2.errors import DataError, RequestError
from phase2.runs.artifacts import Artifact, Verification
from phase2.runs.keys import is_hidden, manifest_key, stored_digest
from phase2.runs.layout import MANIFEST, RunDirectory
from phase2.runs.manifest import VERSION, RunManifest
from phase2.runs.publish.download import RunDownload
from phase2.storage.base import ObjectMissingError, PresigningStore, Store
from phase2.storage.parallel import in_parallel
from phase2.storage.progress import ProgressCallback
from phase2.storage.protection import ProtectedStore
from phase2.storage.records import parse_record

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublishedRun:
    """A run with a manifest in a store.

    Attributes:
        store: The store.
        prefix: Prefix of the run's keys: ``<family>/<name>``.
        manifest: Its manifest.
        content: The manifest as stored.
    """

    store: Store
    prefix: str
    manifest: RunManifest
    content: bytes

    @classmethod
    def open(cls, store: Store, prefix: str) -> PublishedRun:
        """Read the manifest of a run.

        Raises:
            RequestError: It has none: it is not finished, or not published completely.
            ModelFileError: The manifest is damaged, or written by a newer phase2.
        """
        key = manifest_key(prefix)
        try:
            content = store.read(key)
        except ObjectMissingError:
            raise RequestError(
                f"The run '{prefix}' has no manifest in {store.url}.",
                why="A published run has a manifest; this one is not finished, or is being published.",
                fix="Finish it with 'phase2 train ... --resume', or publish it again.",
            ) from None
        where = f"{store.url.rstrip('/')}/{key}"
        return cls(store, prefix, parse_record(content, RunManifest, where=where, version=VERSION), content)

    def verify(self) -> Verification:
        """Hash every file in the store and compare with the manifest."""
        listed = {self._key(artifact): artifact for artifact in self.manifest.artifacts}
        found = {info.key: info.size for info in self.store.list(f"{self.prefix}/") if not is_hidden(info.key)}
        found.pop(manifest_key(self.prefix), None)

        def is_damaged(key: str) -> bool:
            size = listed[key].bytes
            return found[key] != size or stored_digest(self.store, key, size) != listed[key].sha256

        present = [key for key in listed if key in found]
        damaged = in_parallel(is_damaged, present)
        start = len(self.prefix) + 1
        return Verification(
            missing=tuple(key[start:] for key in listed if key not in found),
            damaged=tuple(key[start:] for key, bad in zip(present, damaged, strict=True) if bad),
            extra=tuple(key[start:] for key in found if key not in listed),
            replaced=(MANIFEST,) if self._was_replaced() else (),
        )

    def check_unchanged(self) -> None:
        """Check that the manifest is the one that was published, as far as the store keeps earlier versions.

        Raises:
            DataError: It was overwritten.
        """
        if self._was_replaced():
            raise DataError(
                f"The manifest of '{self.prefix}' in {self.store.url} was changed after it was published.",
                why="The bucket keeps an earlier version of it.",
                fix="Compare the versions, and restore the first one with the tools of the store.",
            )

    def _was_replaced(self) -> bool:
        """Whether the manifest was overwritten after it was published; False where no versions are kept."""
        if not isinstance(self.store, ProtectedStore):
            return False
        try:
            return self.store.times_replaced(manifest_key(self.prefix)) > 0
        except RequestError as error:
            _LOG.info(
                "Versions of the manifest are not known: %s", error
            )  # the keys may not ask, or the server not say
            return False

    def pull(self, output: Path, *, only: Sequence[str] = (), progress: ProgressCallback | None = None) -> RunDirectory:
        """Download the run into ``<output>/<family>/<name>``, the manifest last; files already there are kept.

        Args:
            output: Folder that holds the families.
            only: Paths of the files to download, without the manifest; all files and the manifest when empty.
            progress: Callback receiving bytes done and bytes in all.

        Raises:
            UnknownNameError: The run has no such file.
            RequestError: Another run has the same name there.
            DataError: A file is damaged in the store, or the manifest was changed after it was published.
            TransientError: The store does not respond; called again, the download resumes.
        """
        download = RunDownload(self.prefix, self.manifest, self.content, output, only)
        download.check()
        self.check_unchanged()
        return download.execute(
            lambda artifact, target: self.store.get(self._key(artifact), target, sha256=artifact.sha256),
            progress=progress,
        )

    def presign(self, seconds: int) -> list[str]:
        """Return an address of each file of the manifest that needs no access keys; none where the store is a folder.

        Args:
            seconds: Time for which a download can be started.
        """
        if not isinstance(self.store, PresigningStore):
            return []
        return [self.store.presign(self._key(artifact), seconds) for artifact in self.manifest.artifacts]

    def read_range(self, artifact: Artifact, start: int, length: int) -> bytes:
        """Return bytes of a file as they are in the store."""
        return self.store.read_range(self._key(artifact), start, length)

    def _key(self, artifact: Artifact) -> str:
        return f"{self.prefix}/{artifact.path}"
