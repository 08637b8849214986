"""Asynchronous, atomic checkpointing with bounded overhead."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

from phase2.config.settings import CHECKPOINT_MINUTES
from phase2.runs.records.history import write_history
from phase2.storage.disk.atomic import replace_verified
from phase2.training.checkpoints.best_model import BestModel
from phase2.training.checkpoints.checkpoint import Checkpoint, dump_checkpoint
from phase2.training.result import TrainingFiles


@dataclass(frozen=True, slots=True)
class CheckpointSchedule:
    """Schedule of checkpoints that bounds their overhead.

    An epoch of a tiny data set takes less time than writing a checkpoint. So the end of an epoch is saved unless saving
    would take more than a share of the time; that of the last epoch always is.

    Attributes:
        minutes: Longest time between two saves, also inside an epoch.
        share: Largest share of the time that saving at the ends of epochs may take.
    """

    minutes: float = CHECKPOINT_MINUTES
    share: float = 0.005  # and as much again for uploads


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """Content of a checkpoint that is on the disk.

    Attributes:
        content: The file's bytes.
        sha256: SHA-256 of the content, hexadecimal.
        step: Steps taken.
        epoch: Epochs finished.
    """

    content: bytes
    sha256: str
    step: int
    epoch: int


class CheckpointWriter:
    """Writer of checkpoints, and with each of the best model and the history, in a background thread.

    A context manager: leaving it waits for the write under way.

    Args:
        files: Paths to write.
        best: Writes the model file.
        schedule: How often checkpoints are saved.
        on_saved: Callback receiving, in that thread, each checkpoint that is on the disk.
    """

    def __init__(
        self,
        files: TrainingFiles,
        best: BestModel,
        schedule: CheckpointSchedule,
        on_saved: Callable[[SavedCheckpoint], None],
    ) -> None:
        self._files = files
        self._best = best
        self._schedule = schedule
        self._on_saved = on_saved
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._writing: Future[float] | None = None
        self._cost = 0.0
        self._last = time.monotonic()

    def __enter__(self) -> CheckpointWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown(wait=True)
        if error is None:
            self._wait()

    def is_due(self, *, epoch_ended: bool) -> bool:
        """Whether a save is due; never while the last one is still being written.

        Raises:
            OSError: The last save could not be written.
        """
        if self._writing is not None and not self._writing.done():
            return False
        self._wait()
        share = self._schedule.share
        pause = self._cost / share if epoch_ended and share else math.inf
        return time.monotonic() - self._last >= min(pause, 60 * self._schedule.minutes)

    def save(self, take: Callable[[], Checkpoint], *, wait: bool = False) -> None:
        """Save a checkpoint, after the one that is being written.

        Args:
            take: Copies the state of the training; nothing may change in the copy afterwards.
            wait: Return after it is on the disk.

        Raises:
            OSError: This save (when waited for) or the one before could not be written.
        """
        self._wait()
        self._last = time.monotonic()
        checkpoint = take()
        self._writing = self._thread.submit(self._write, checkpoint, self._last)
        if wait:
            self._wait()

    def _wait(self) -> None:
        """Wait for the write under way; record its duration, or raise its error."""
        writing, self._writing = self._writing, None
        if writing is not None:
            self._cost = writing.result()

    def _write(self, checkpoint: Checkpoint, start: float) -> float:
        content = dump_checkpoint(checkpoint)
        digest = replace_verified(self._files.checkpoint, content, previous=self._files.previous)
        self._best.write(checkpoint.best, checkpoint.history)
        # After the checkpoint: an epoch in the history is never trained again.
        write_history(self._files.history, checkpoint.history)
        cost = time.monotonic() - start
        self._on_saved(SavedCheckpoint(content, digest, checkpoint.step, checkpoint.epoch))
        return cost
