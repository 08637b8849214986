"""Workers of a study: who works, and whether a worker is still alive.

A worker is an object, ``.studies/<name>/workers/<id>.json``, that it puts again every 15 seconds and deletes at its
end. On its own machine it holds a file lock besides, which the system releases at once when the process ends, however
it ends; elsewhere it counts as dead when it was silent for 90 seconds, by the clock of the store:
six beats, so that a slow answer or a busy machine is no death. One that was silent and lives costs time and no result:
it notices at its next beat that its trial was taken over, and stops.
"""

from __future__ import annotations

import logging
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from phase2.config.settings import cache_dir
from phase2.errors import ModelFileError, Phase2Error
from phase2.machine.place import detect_place
from phase2.storage.base import ObjectDamagedError, ObjectMissingError, Store
from phase2.storage.disk.lock import is_locked, wait_for_lock
from phase2.storage.records import Record, parse_record
from phase2.tuning.keys import study_key

BEAT_SECONDS = 15.0
SILENCE = timedelta(seconds=90)
_WORKER_ID = re.compile(r"[0-9a-f]{12}")
_LOG = logging.getLogger(__name__)


class WorkerRecord(Record):
    """Where a worker runs.

    Attributes:
        host: Its machine or pod.
        lock: Path of its lock file on that machine.
    """

    host: str
    lock: str


class Worker:
    """This process as a worker of a study.

    Args:
        store: The store of the study.
        name: Name of the study.
        locks: Folder of lock files on this machine; that of the cache by default.

    Attributes:
        worker_id: Random name of the worker.
    """

    def __init__(self, store: Store, name: str, *, locks: Path | None = None) -> None:
        self.worker_id = uuid.uuid4().hex[:12]
        self._store = store
        self._folder = study_key(name, "workers")
        self._lock = (locks or cache_dir() / "workers") / f"{self.worker_id}.lock"
        self._store_is_ahead = timedelta()

    @contextmanager
    def registered(self, on_beat: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Count as alive during a block.

        Args:
            on_beat: Called in another thread, every 15 seconds, once the store knows that the worker is alive.
        """
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        ended = threading.Event()
        with wait_for_lock(self._lock):
            self._beat()
            thread = threading.Thread(target=self._beat_until, args=(ended, on_beat), name="heartbeat", daemon=True)
            thread.start()
            try:
                yield
            finally:
                ended.set()
                thread.join()
                with suppress(Phase2Error):  # without it the worker counts as dead by its lock, or later
                    self._store.delete(self._key(self.worker_id))
                self._lock.unlink(missing_ok=True)

    def is_alive(self, worker_id: str) -> bool:
        """Return whether a worker of the study is at work."""
        if worker_id == self.worker_id:
            return True
        info = self._store.head(self._key(worker_id))
        if info is None or (record := self._record(worker_id)) is None:
            return False
        if record.host == _host() and (lock := _lock_file(record.lock, worker_id)) is not None:
            locked = is_locked(lock)
            if locked is not None:
                return locked
        return datetime.now(UTC) + self._store_is_ahead - info.modified < SILENCE

    def last_beat(self, worker_id: str) -> datetime | None:
        """Return when a worker was last heard, by the clock of the store; None when it has ended."""
        info = self._store.head(self._key(worker_id))
        return info.modified if info else None

    def _record(self, worker_id: str) -> WorkerRecord | None:
        key = self._key(worker_id)
        try:
            return parse_record(self._store.read(key), WorkerRecord, where=key)
        except (ObjectMissingError, ObjectDamagedError, ModelFileError):
            return None

    def _beat(self) -> None:
        record = WorkerRecord(host=_host(), lock=str(self._lock.absolute()))
        info = self._store.put(self._key(self.worker_id), record.model_dump_json().encode())
        self._store_is_ahead = info.modified - datetime.now(UTC)

    def _beat_until(self, ended: threading.Event, on_beat: Callable[[], None]) -> None:
        while not ended.wait(BEAT_SECONDS):
            try:
                self._beat()
                on_beat()
            except Phase2Error as error:
                _LOG.warning("The study does not hear from this worker: %s", error)

    def _key(self, worker_id: str) -> str:
        return f"{self._folder}/{worker_id}.json"


def is_worker_id(text: str) -> bool:
    """Return whether a text is the name of a worker."""
    return _WORKER_ID.fullmatch(text) is not None


def _lock_file(path: str, worker_id: str) -> Path | None:
    """Return the lock file of a worker on this machine; None where the path is not one, or is gone."""
    with suppress(OSError, ValueError):
        if Path(path).name == f"{worker_id}.lock" and Path(path).is_file():
            return Path(path)
    return None


def _host() -> str:
    place = detect_place()
    return place.pod or place.host
