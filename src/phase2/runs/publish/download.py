"""Download of a run: every file verified by the manifest, the manifest last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from phase2.errors import RequestError, UnknownNameError
from phase2.runs.artifacts import Artifact
from phase2.runs.identity import check_identity, check_run_prefix
from phase2.runs.layout import MANIFEST, RunDirectory
from phase2.runs.records.manifest import RunManifest
from phase2.storage.base import check_key
from phase2.storage.disk.atomic import write_bytes
from phase2.storage.disk.checksums import sha256_of
from phase2.storage.parallel import WORKERS, ByteCounter, in_parallel
from phase2.storage.progress import ProgressCallback

FetchFile = Callable[[Artifact, Path], object]
"""Callback that downloads a file of the run to a path, which appears only when its content is verified."""


@dataclass(frozen=True, slots=True)
class RunDownload:
    """A run that is to be downloaded, from wherever its files can be fetched.

    Attributes:
        prefix: Prefix of the run's keys: ``<family>/<name>``.
        manifest: Its manifest.
        content: The manifest as stored.
        output: Folder that holds the families; the run gets ``<output>/<family>/<name>``.
        only: Paths of the files to download, without the manifest; all files and the manifest when empty.
    """

    prefix: str
    manifest: RunManifest
    content: bytes
    output: Path
    only: Sequence[str] = ()

    @property
    def directory(self) -> RunDirectory:
        """Directory of the run."""
        return RunDirectory(self.output / check_key(self.prefix))

    def check(self) -> None:
        """Check that the run can be downloaded there.

        Raises:
            UnknownNameError: The run has no such file.
            RequestError: Another run has the same name there.
        """
        chosen_artifacts(self.manifest, self.only)
        found = self.manifest
        check_run_prefix(self.prefix)
        check_identity(self.prefix, run_id=found.run_id, family=found.family, where=f"The manifest in '{self.prefix}'")
        run = self.directory
        there = run.manifest.read_bytes() if run.manifest.is_file() else self.content
        if there == self.content and not run.is_running():
            return
        raise RequestError(
            f"{run.path} is another run, or one that is being trained.",
            why=f"Its {MANIFEST} differs." if there != self.content else "A process holds its lock.",
            fix="Name another folder with --to.",
        )

    def missing(self) -> list[Artifact]:
        """Return the files that are not there yet, or have other content."""
        return [
            artifact
            for artifact in chosen_artifacts(self.manifest, self.only)
            if not _is_here(self._target(artifact), artifact)
        ]

    def execute(
        self, fetch: FetchFile, *, progress: ProgressCallback | None = None, workers: int = WORKERS
    ) -> RunDirectory:
        """Download what is missing; files already there are kept.

        Args:
            fetch: Downloads one file and verifies it.
            progress: Callback receiving bytes done and bytes in all.
            workers: Files that are downloaded concurrently.

        Raises:
            UnknownNameError: The run has no such file.
            RequestError: Another run has the same name there.
            DataError: A file is damaged in the store.
            TransientError: The store does not respond; called again, the download resumes.
        """
        self.check()
        artifacts = chosen_artifacts(self.manifest, self.only)
        count = ByteCounter(sum(artifact.bytes for artifact in artifacts), progress)

        def fetch_missing(artifact: Artifact) -> None:
            target = self._target(artifact)
            if not _is_here(target, artifact):
                fetch(artifact, target)
            count.add(artifact.bytes)

        in_parallel(fetch_missing, artifacts, workers=workers)
        if not self.only:
            write_bytes(self.directory.manifest, self.content)
        return self.directory

    def _target(self, artifact: Artifact) -> Path:
        return self.directory.path / check_key(artifact.path)


def chosen_artifacts(manifest: RunManifest, only: Sequence[str] = ()) -> list[Artifact]:
    """Return the files of a run, or those with the given paths in their order.

    Raises:
        UnknownNameError: The run has no such file.
    """
    by_path = {artifact.path: artifact for artifact in manifest.artifacts}
    for path in only:
        if path not in by_path:
            raise UnknownNameError.of("file of this run", path, by_path)
    return [by_path[path] for path in only] if only else list(by_path.values())


def _is_here(target: Path, artifact: Artifact) -> bool:
    return target.is_file() and target.stat().st_size == artifact.bytes and sha256_of(target) == artifact.sha256
