"""Copying checkpoints into a store while the training goes on."""

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
    """Stores the newest saved checkpoint, in a thread of its own, as often as the plan allows.

    A store that fails costs the training nothing: the run is told about once, and the next checkpoint is tried again.
    A context manager: leaving it waits for the transfer under way.

    Args:
        checkpoints: Where to.
        host: Who stores.
        plan: How often: a transfer waits until the time it takes is a small share, as a save does.
        notify: Is told one line about what a user should know.
    """

    def __init__(
        self, checkpoints: RemoteCheckpoints, *, host: str, plan: CheckpointSchedule, notify: Callable[[str], None]
    ) -> None:
        self._checkpoints = checkpoints
        self._host = host
        self._plan = plan
        self._notify = notify
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="push")
        self._lock = Lock()
        self._waiting: SavedCheckpoint | None = None
        self._pushing: Future[None] | None = None
        self._next = time.monotonic()
        self._said = ""

    def __enter__(self) -> CheckpointUploader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown(wait=True)

    def offer(self, saved: SavedCheckpoint) -> None:
        """Store this checkpoint, unless it is too early or a transfer is under way; then a later one will do."""
        with self._lock:
            self._waiting = saved
            if time.monotonic() >= self._next and (self._pushing is None or self._pushing.done()):
                self._pushing = self._thread.submit(self._push)

    def flush(self) -> bool:
        """Store what was offered last, now; says whether the store has it."""
        self._thread.submit(self._push).result()
        return self._waiting is None

    def _push(self) -> None:
        with self._lock:
            saved, self._waiting = self._waiting, None
        if saved is None:
            return
        begun = time.monotonic()
        try:
            ahead = self._checkpoints.add(
                saved.content, sha256=saved.sha256, step=saved.step, epoch=saved.epoch, host=self._host
            )
        except Phase2Error as error:
            with self._lock:
                self._waiting = self._waiting or saved
            self._say(f"checkpoints are on this machine alone for now: {error}")
        else:
            self._say(f"{ahead} trains this run too, and is further" if ahead else "")
        now = time.monotonic()
        pause = (now - begun) / self._plan.share if self._plan.share else 0.0
        self._next = now + min(pause, 60 * self._plan.minutes)

    def _say(self, text: str) -> None:
        """Tell what has changed since it was last told."""
        if text != self._said:
            self._notify(text or "checkpoints are in the store again")
            self._said = text
