"""Checkpoints of an unfinished run in a store, from which another machine can resume it.

They are next to the run's configuration, each under its own name: ``.checkpoints/step_<step>_<digest>.pt``. A pointer,
``.checkpoints/latest.json``, is replaced after the upload of the checkpoint that it names; the newest two are kept.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime

from phase2.errors import ModelFileError
from phase2.runs.keys import is_key
from phase2.storage.base import ObjectDamagedError, ObjectMissingError, Store
from phase2.storage.records import Counted, Record, parse_record

FOLDER = ".checkpoints"
_LOG = logging.getLogger(__name__)
_KEPT = 2
_NAME = re.compile(r"step_([0-9]{1,18})_[0-9a-f]{1,64}\.pt")


def attempts_key(prefix: str) -> str:
    """Return the key of the attempts at an unfinished run."""
    return f"{prefix}/{FOLDER}/attempts.json"


def live_key(prefix: str) -> str:
    """Return the key of the progress of an unfinished run."""
    return f"{prefix}/{FOLDER}/progress.json"


class RemoteCheckpoint(Record):
    """Name, position and digest of one checkpoint in a store.

    Attributes:
        name: Name of its object in the folder of the run's checkpoints.
        step: Steps taken.
        epoch: Epochs finished.
        sha256: SHA-256 of its content, hexadecimal.
        host: Machine or pod that uploaded it.
        saved: Time of the upload.
    """

    name: str
    step: Counted
    epoch: Counted
    sha256: str
    host: str
    saved: AwareDatetime


class Pointer(Record):
    """References to the newest checkpoint and the one before."""

    schema_version: Counted = 1
    newest: RemoteCheckpoint
    previous: RemoteCheckpoint | None = None


class RemoteCheckpoints:
    """The checkpoints of one run in a store.

    Args:
        store: The store.
        prefix: Prefix of the run: ``<family>/<name>``.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        self._store = store
        self._folder = f"{prefix}/{FOLDER}"

    def pointer(self) -> Pointer | None:
        """Read the pointer; None where there is none, or none that can be read."""
        key = f"{self._folder}/latest.json"
        try:
            return _checked(parse_record(self._store.read(key), Pointer, where=key), key)
        except (ObjectMissingError, ObjectDamagedError):
            return None
        except ModelFileError as error:
            _LOG.warning("%s Listing the checkpoints instead.", error)
            return None

    def add(self, content: bytes, *, sha256: str, step: int, epoch: int, host: str) -> str | None:
        """Upload a checkpoint, point to it, and remove all but the newest two.

        Returns:
            The host that already uploaded a checkpoint with more steps, in which case nothing is uploaded; else None.

        Raises:
            RequestError: The store cannot be used.
            TransientError: The store does not answer.
        """
        known = self.pointer()
        before = known.newest if known else None
        if before is not None and before.step > step:
            return before.host
        name = f"step_{step:09d}_{sha256[:12]}.pt"
        self._store.put(f"{self._folder}/{name}", content, sha256=sha256)
        newest = RemoteCheckpoint(name=name, step=step, epoch=epoch, sha256=sha256, host=host, saved=datetime.now(UTC))
        pointer = Pointer(newest=newest, previous=None if before is None or before.name == name else before)
        self._store.put(f"{self._folder}/latest.json", pointer.model_dump_json(indent=2).encode())
        self._keep_newest(pointer)
        return None

    def fetch(self, target: Path, *, after: int = -1) -> RemoteCheckpoint | None:
        """Download the newest intact checkpoint; where it is damaged or missing, the one before.

        Args:
            target: The file to replace.
            after: Only one with more steps than this.

        Returns:
            The checkpoint that was downloaded; None where there is nothing newer.

        Raises:
            TransientError: The store does not answer.
        """
        for candidate in self._candidates():
            if candidate.step <= after:
                continue
            try:
                self._store.get(f"{self._folder}/{candidate.name}", target, sha256=candidate.sha256 or None)
            except (ObjectMissingError, ObjectDamagedError) as error:
                _LOG.warning("%s Falling back to the checkpoint before it.", error)
            else:
                return candidate
        return None

    def _candidates(self) -> Iterator[RemoteCheckpoint]:
        """Yield the checkpoints that the pointer names, then all others, the newest first."""
        pointer = self.pointer()
        named = [each for each in (pointer.newest, pointer.previous) if each] if pointer else []
        yield from named
        known = {each.name for each in named}
        for step, name in reversed(self._names()):
            if name not in known:
                yield RemoteCheckpoint(name=name, step=step, epoch=0, sha256="", host="", saved=datetime.now(UTC))

    def _names(self) -> list[tuple[int, str]]:
        """Return step and name of every checkpoint, the oldest first."""
        names = [info.key.rpartition("/")[2] for info in self._store.list(f"{self._folder}/step_")]
        return sorted((int(found[1]), name) for name in names if (found := _NAME.fullmatch(name)))

    def _keep_newest(self, pointer: Pointer) -> None:
        pointed = {each.name for each in (pointer.newest, pointer.previous) if each}
        for _, name in self._names()[:-_KEPT]:
            if name not in pointed:
                self._store.delete(f"{self._folder}/{name}")

    def remove(self) -> None:
        """Remove all checkpoints, the pointer last, once the run is published."""
        keys = [info.key for info in self._store.list(f"{self._folder}/") if is_key(info.key)]
        for key in sorted(keys, key=lambda key: key.endswith("latest.json")):
            self._store.delete(key)


def _checked(pointer: Pointer, where: str) -> Pointer:
    """Return a pointer whose names are those of checkpoints, with the steps that it says.

    Raises:
        ModelFileError: They are not.
    """
    for each in (pointer.newest, pointer.previous):
        if each is None:
            continue
        found = _NAME.fullmatch(each.name)
        if found is None or int(found[1]) != each.step:
            raise ModelFileError(f"{where} is damaged.", why=f"{each.name!r} is no checkpoint of step {each.step}.")
    return pointer
