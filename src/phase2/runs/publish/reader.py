"""A published run: reading its manifest, downloading and verifying its files."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from phase2.errors import RequestError
from phase2.runs.artifacts import Artifact, Verification
from phase2.runs.as_published import pin_files, pin_manifest
from phase2.runs.keys import is_hidden, manifest_key, stored_digest
from phase2.runs.layout import MANIFEST, RunDirectory
from phase2.runs.publish.download import RunDownload
from phase2.runs.records.manifest import VERSION, RunManifest
from phase2.storage.base import ObjectMissingError, PresigningStore, Store
from phase2.storage.parallel import in_parallel
from phase2.storage.progress import ProgressCallback
from phase2.storage.records import parse_record

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublishedRun:
    """A run with a manifest in a store.

    In a bucket that keeps earlier versions, it is read as it was published: what was overwritten since is not looked
    at, but to name it.

    Attributes:
        store: The store, as it reads the manifest that was published.
        prefix: Prefix of the run's keys: ``<family>/<name>``.
        manifest: Its manifest.
        content: The manifest as published.
        was_replaced: Whether the manifest was overwritten after it was published, as far as the store keeps versions.
    """

    store: Store
    prefix: str
    manifest: RunManifest
    content: bytes
    was_replaced: bool = False

    @classmethod
    def open(cls, store: Store, prefix: str) -> PublishedRun:
        """Read the manifest of a run.

        Raises:
            RequestError: It has none: it is not finished, or not published completely.
            ModelFileError: The manifest is damaged, or written by a newer phase2.
        """
        key = manifest_key(prefix)
        store, was_replaced = pin_manifest(store, prefix)
        try:
            content = store.read(key)
        except ObjectMissingError:
            raise RequestError(
                f"The run '{prefix}' has no manifest in {store.url}.",
                why="A published run has a manifest; this one is not finished, or is being published.",
                fix="Finish it with 'phase2 train ... --resume', or publish it again.",
            ) from None
        where = f"{store.url.rstrip('/')}/{key}"
        manifest = parse_record(content, RunManifest, where=where, version=VERSION)
        return cls(store, prefix, manifest, content, was_replaced)

    def with_published_files(self) -> PublishedRun:
        """Return the run with a store that reads all its files as they were published."""
        store, replaced = pin_files(self.store, self.prefix, self.manifest.artifacts)
        changed = [*sorted(replaced), *([MANIFEST] if self.was_replaced else [])]
        if changed:
            _LOG.warning(
                "%s of '%s' in %s changed after the run was published; what was published is read.",
                ", ".join(changed), self.prefix, store.url,
            )  # fmt: skip
        return replace(self, store=store)

    def verify(self) -> Verification:
        """Hash every file in the store and compare with the manifest."""
        listed = {self._key(artifact): artifact for artifact in self.manifest.artifacts}
        found = {info.key: info.size for info in self.store.list(f"{self.prefix}/") if not is_hidden(info.key)}
        found.pop(manifest_key(self.prefix), None)

        def is_right(key: str) -> bool:
            artifact = listed[key]
            return found[key] == artifact.bytes and _has_digest(self.store, key, artifact)

        present = [key for key in listed if key in found]
        changed = [key for key, right in zip(present, in_parallel(is_right, present), strict=True) if not right]
        store, pinned = pin_files(self.store, self.prefix, [listed[key] for key in changed])
        replaced = {key for key in changed if listed[key].path in pinned and _has_digest(store, key, listed[key])}
        start = len(self.prefix) + 1
        return Verification(
            missing=tuple(key[start:] for key in listed if key not in found),
            damaged=tuple(key[start:] for key in changed if key not in replaced),
            extra=tuple(key[start:] for key in found if key not in listed),
            replaced=(*(key[start:] for key in sorted(replaced)), *((MANIFEST,) if self.was_replaced else ())),
        )

    def pull(self, output: Path, *, only: Sequence[str] = (), progress: ProgressCallback | None = None) -> RunDirectory:
        """Download the run into ``<output>/<family>/<name>``, the manifest last; files already there are kept.

        Args:
            output: Folder that holds the families.
            only: Paths of the files to download, without the manifest; all files and the manifest when empty.
            progress: Callback receiving bytes done and bytes in all.

        Raises:
            UnknownNameError: The run has no such file.
            RequestError: Another run has the same name there.
            DataError: A file is damaged in the store.
            TransientError: The store does not respond; called again, the download resumes.
        """
        download = RunDownload(self.prefix, self.manifest, self.content, output, only)
        download.check()
        store = self.with_published_files().store
        return download.execute(
            lambda artifact, target: store.get(self._key(artifact), target, sha256=artifact.sha256),
            progress=progress,
        )

    def presign(self, seconds: int) -> list[str]:
        """Return an address of each file of the manifest that needs no access keys; none where the store is a folder.

        Args:
            seconds: Time for which a download can be started.
        """
        store = self.with_published_files().store
        if not isinstance(store, PresigningStore):
            return []
        return [store.presign(self._key(artifact), seconds) for artifact in self.manifest.artifacts]

    def read_range(self, artifact: Artifact, start: int, length: int) -> bytes:
        """Return bytes of a file, of the version that the store reads: see :meth:`with_published_files`."""
        return self.store.read_range(self._key(artifact), start, length)

    def _key(self, artifact: Artifact) -> str:
        return f"{self.prefix}/{artifact.path}"


def _has_digest(store: Store, key: str, artifact: Artifact) -> bool:
    return stored_digest(store, key, artifact.bytes) == artifact.sha256
