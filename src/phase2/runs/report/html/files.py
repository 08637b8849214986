"""Where the files of a run that its report is made of are read: a folder, or a store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from phase2.runs.artifacts import Artifact
from phase2.runs.keys import manifest_key
from phase2.runs.layout import LOCK
from phase2.runs.publish.reader import PublishedRun
from phase2.storage.base import ObjectMissingError, Store
from phase2.storage.disk.lock import is_locked
from phase2.storage.records import read_limited


@dataclass
class RunFiles:
    """Files of one run.

    Attributes:
        where: Path or address of the run.
        read_bytes: Returns the content of a file by its name; None where there is none.
        notes: What is missing or is not as it should be, in words; grows while files are read.
        has_process: Whether a process of this machine trains the run; None where that cannot be known.
    """

    where: str
    read_bytes: Callable[[str], bytes | None]
    notes: list[str] = field(default_factory=list)
    has_process: bool | None = None

    def read(self, name: str, artifacts: Mapping[str, Artifact] | None = None, *, without: str = "") -> bytes | None:
        """Return the content of a file; None, and a note, where it is missing or not as the manifest lists it.

        Args:
            name: Name of the file.
            artifacts: Files that the manifest lists; None checks nothing.
            without: What a report lacks without the file, for the note; empty leaves no note of a file that is missing.
        """
        content = self.read_bytes(name)
        if content is None:
            if without:
                self.notes.append(f"{name} is missing: without it there is no {without}.")
            return None
        listed = (artifacts or {}).get(name)
        if listed is not None and hashlib.sha256(content).hexdigest() != listed.sha256:
            self.notes.append(f"{name} is not what the manifest lists, and was left out: the run was changed.")
            return None
        return content


def files_of_folder(folder: Path) -> RunFiles:
    """Return the files of a run directory."""

    def read(name: str) -> bytes | None:
        path = folder / name
        return read_limited(path) if path.is_file() else None

    return RunFiles(str(folder), read, has_process=is_locked(folder / LOCK))


def files_in_store(store: Store, prefix: str) -> RunFiles:
    """Return the files of a run in a store, in a bucket that keeps versions as they were published."""
    finished = store.head(manifest_key(prefix)) is not None
    place = PublishedRun.open(store, prefix).with_published_files().store if finished else store

    def read(name: str) -> bytes | None:
        try:
            return place.read(f"{prefix}/{name}")
        except ObjectMissingError:
            return None

    return RunFiles(f"{store.url.rstrip('/')}/{prefix}", read)
