"""Asynchronous upload of checkpoints to a store."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from types import TracebackType

from phase2.errors import Phase2Error
from phase2.runs.remote.checkpoints import RemoteCheckpoints
from phase2.training.checkpoints.writer import CheckpointSchedule, SavedCheckpoint


class CheckpointUploader:
    """Uploader of the newest saved checkpoint, in its own thread, as often as the schedule allows.

    A store that fails does not disturb the training: it is reported once, and the next checkpoint is tried again.
    A context manager: leaving it waits for the upload under way.

    Args:
        checkpoints: Destination.
        host: Name of this machine or pod.
        schedule: How often: an upload waits until the time it takes is a small share, as a save does.
        notify: Callback receiving one line for the user.
    """

    def __init__(
        self, checkpoints: RemoteCheckpoints, *, host: str, schedule: CheckpointSchedule, notify: Callable[[str], None]
    ) -> None:
        self._checkpoints = checkpoints
        self._host = host
        self._schedule = schedule
        self._notify = notify
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="upload")
        self._lock = Lock()
        self._waiting: SavedCheckpoint | None = None
        self._upload: Future[None] | None = None
        self._next = time.monotonic()
        self._reported = ""
        self._is_failing = False

    def __enter__(self) -> CheckpointUploader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown(wait=True)

    @property
    def unsent_bytes(self) -> int:
        """Size of the saved checkpoint that waits for its upload; 0 where none does."""
        saved = self._waiting
        return 0 if saved is None else len(saved.content)

    @property
    def is_failing(self) -> bool:
        """Whether the last upload failed."""
        return self._is_failing

    def offer(self, saved: SavedCheckpoint) -> None:
        """Upload this checkpoint, or a later one if it is too early or an upload is under way."""
        with self._lock:
            self._waiting = saved
            if time.monotonic() >= self._next and (self._upload is None or self._upload.done()):
                self._upload = self._thread.submit(self._upload_waiting)

    def flush(self) -> bool:
        """Upload the newest checkpoint now; return whether the store has it."""
        self._thread.submit(self._upload_waiting).result()
        return self._waiting is None

    def _upload_waiting(self) -> None:
        with self._lock:
            saved, self._waiting = self._waiting, None
        if saved is None:
            return
        start = time.monotonic()
        try:
            ahead = self._checkpoints.add(
                saved.content, sha256=saved.sha256, step=saved.step, epoch=saved.epoch, host=self._host
            )
        except Phase2Error as error:
            with self._lock:
                self._waiting = self._waiting or saved
            self._is_failing = True
            self._report(f"checkpoints are on this machine alone for now: {error}")
        else:
            self._is_failing = False
            self._report(f"{ahead} trains this run too, and is further" if ahead else "")
        now = time.monotonic()
        pause = (now - start) / self._schedule.share if self._schedule.share else 0.0
        self._next = now + min(pause, 60 * self._schedule.minutes)

    def _report(self, text: str) -> None:
        """Notify the user of a state that differs from the last one reported."""
        if text != self._reported:
            self._notify(text or "checkpoints are in the store again")
            self._reported = text
