"""Backend of Optuna's ``JournalStorage`` that keeps the journal in a store of runs, folder or bucket.

Each entry is an object of its own, ``000000000.json`` and so on, put only where its number is free. A worker writes
behind the last entry that it has read: of two that write at once, one meets the other's entry, reads it, and takes the
next number. So no entry is lost or overwritten, no lock is held, and a worker that is killed leaves whole entries.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

from optuna.storages.journal import BaseJournalBackend
from optuna.storages.journal._storage import JournalStorageReplayResult

from phase2.errors import ModelFileError, TransientError
from phase2.storage.base import ObjectDamagedError, ObjectExistsError, ObjectMissingError, Store
from phase2.storage.parallel import in_parallel
from phase2.tuning.journal.entry import Entry, Operation

_LOG = logging.getLogger(__name__)
_MAX_ATTEMPTS = 1000
_READERS = 16
_NAME = re.compile(r"([0-9]{9})\.json")
_MAX_MISSING = 1000
# What Optuna raises for an operation that lacks a field or has one of another type.
_NOT_REPLAYED = (KeyError, IndexError, TypeError, ValueError, AttributeError, AssertionError, OverflowError)
_NOBODY = "replay-"  # prefix of no worker: an operation that comes too late is skipped, and not refused as one's own


class StoreJournal(BaseJournalBackend):
    """Journal below a folder of a store.

    Args:
        store: The store.
        folder: Folder of the entries, without a slash at its end.
        replayed: Whether operations that Optuna cannot replay are skipped.
    """

    def __init__(self, store: Store, folder: str, *, replayed: bool = False) -> None:
        self._store = store
        self._folder = folder
        self._next = 0  # number of the first entry that was not read
        self._operations: list[Operation] = []
        self._replay = JournalStorageReplayResult(_NOBODY) if replayed else None
        self._read_listed()

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yield the operations from a number on, those of other workers included."""
        self._read_new()
        yield from self._operations[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append operations, whole or not at all, behind those of all workers.

        Raises:
            TransientError: The store does not answer, or others append faster than this worker reads.
        """
        entry = Entry(tuple(logs))
        content = entry.encode()
        for _ in range(_MAX_ATTEMPTS):
            try:
                self._store.put(self._key(self._next), content, if_absent=True)
            except ObjectExistsError:
                # Or it is this worker's own, whose first response was lost on the way.
                if (found := self._read(self._next)) is not None:
                    self._take(found)
                    if found.writer == entry.writer:
                        return
            else:
                self._take(entry)
                return
        raise TransientError(
            f"The journal {self._folder} in {self._store.url} cannot be written.",
            why=f"Other workers took the next entry {_MAX_ATTEMPTS} times.",
            fix="Run the same command again.",
        )

    def _read_new(self) -> None:
        while (entry := self._read(self._next)) is not None:
            self._take(entry)

    def _read_listed(self) -> None:
        """Read what is listed at once. An entry that is missing before a later one was deleted, and counts as empty."""
        names = (info.key.rpartition("/")[2] for info in self._store.list(f"{self._folder}/"))
        numbers = {int(found[1]) for name in names if (found := _NAME.fullmatch(name))}
        listed = range(max(numbers, default=-1) + 1)
        if len(listed) - len(numbers) > _MAX_MISSING:
            raise ModelFileError(
                f"The journal {self._folder} in {self._store.url} is damaged.",
                why=f"It has {len(numbers)} entries, and one called {listed[-1]:09d}.json.",
                fix="Remove entries that phase2 did not write, or start a study of another name.",
            )
        for number, entry in zip(listed, in_parallel(self._read, listed, workers=_READERS), strict=True):
            if entry is None:
                _LOG.warning("The entry %s of the journal is missing.", self._key(number))
            self._take(entry or Entry(()))

    def _read(self, number: int) -> Entry | None:
        """Read an entry; None where there is none. One that is damaged counts as empty, for every worker."""
        key = self._key(number)
        try:
            entry = Entry.decode(self._store.read(key))
        except ObjectMissingError:
            return None
        except ObjectDamagedError:
            entry = None
        if entry is None:
            _LOG.warning("The entry %s of the journal is damaged, and skipped.", key)
        return entry or Entry(())

    def _take(self, entry: Entry) -> None:
        self._operations += [operation for operation in entry.operations if self._is_sound(operation)]
        self._next += 1

    def _is_sound(self, operation: Operation) -> bool:
        """Return whether Optuna can replay an operation after those before it; every worker skips the same ones."""
        if self._replay is None:
            return True
        try:
            self._replay.apply_logs([operation])
        except _NOT_REPLAYED as error:
            key, reason = self._key(self._next), type(error).__name__
            _LOG.warning("An operation of the entry %s of the journal is damaged (%s), and skipped.", key, reason)
            return False
        return True

    def _key(self, number: int) -> str:
        return f"{self._folder}/{number:09d}.json"
