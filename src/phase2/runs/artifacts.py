"""The artifacts of a run: its files with their checksums."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from phase2.runs.layout import MANIFEST
from phase2.storage.records import Counted, Record


class Artifact(Record):
    """One file of a run.

    Attributes:
        path: Its path inside the run directory, with forward slashes.
        bytes: Its size.
        sha256: SHA-256 of its content, hexadecimal.
    """

    path: str
    bytes: Counted
    sha256: str


@dataclass(frozen=True, slots=True)
class Verification:
    """Comparison of the files of a run with those its manifest lists; each a list of paths.

    Attributes:
        missing: Listed, but absent.
        damaged: Present, with other content than listed.
        extra: Present, but not listed.
        replaced: Overwritten after they were published, the manifest among them; the store keeps what was published,
            and that is what is read.
    """

    missing: tuple[str, ...]
    damaged: tuple[str, ...]
    extra: tuple[str, ...]
    replaced: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether every listed file has its content and none was overwritten; extra files do not matter."""
        return not (self.missing or self.damaged or self.replaced)


def describe_files(folder: Path) -> tuple[Artifact, ...]:
    """List all files of a run except its manifest, sorted by path, with their checksums."""
    return tuple(_describe(folder, path) for path in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        # Names with a leading dot are the lock's and those of temporary files that killed writers left.
        if path.is_file() and path.name != MANIFEST and not path.name.startswith("."):
            yield path


def _describe(folder: Path, path: Path) -> Artifact:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return Artifact(path=path.relative_to(folder).as_posix(), bytes=size, sha256=digest)
