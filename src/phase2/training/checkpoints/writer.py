"""Saving checkpoints while the training goes on: as often as costs next to nothing, and never half."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

from phase2.config.settings import CHECKPOINT_MINUTES
from phase2.runs.history import write_history
from phase2.storage.disk.atomic import replace_verified
from phase2.training.checkpoints.best_model import BestModel
from phase2.training.checkpoints.checkpoint import Checkpoint, dump_checkpoint
from phase2.training.result import TrainingFiles


@dataclass(frozen=True, slots=True)
class CheckpointSchedule:
    """How often checkpoints are saved.

    An epoch of a tiny data set takes less time than writing it down. So an epoch's end is saved unless that would
    spend more than a share of the time on saving; the last epoch always is.

    Attributes:
        minutes: Longest time between two saves, also inside an epoch.
        share: Most of the time that saving at the ends of epochs may take.
    """

    minutes: float = CHECKPOINT_MINUTES
    share: float = 0.005  # and as much again for the copies in a store


@dataclass(frozen=True, slots=True)
class SavedCheckpoint:
    """A checkpoint that is on the disk.

    Attributes:
        content: The file's bytes.
        sha256: Their hex digest.
        step: Steps taken.
        epoch: Epochs finished.
    """

    content: bytes
    sha256: str
    step: int
    epoch: int


class CheckpointWriter:
    """Writes checkpoints, and with each the best model and the history, in a thread beside the training.

    A context manager: leaving it waits for the write under way.

    Args:
        files: What to write.
        best: Writes the model file.
        plan: How often.
        on_saved: Is told, in that thread, about each checkpoint that is on the disk.
    """

    def __init__(
        self,
        files: TrainingFiles,
        best: BestModel,
        plan: CheckpointSchedule,
        on_saved: Callable[[SavedCheckpoint], None],
    ) -> None:
        self._files = files
        self._best = best
        self._plan = plan
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
            self._settle()

    def is_due(self, *, epoch_ended: bool) -> bool:
        """Whether it is time to save; never while the last save is still being written.

        Raises:
            OSError: The last save could not be written.
        """
        if self._writing is not None and not self._writing.done():
            return False
        self._settle()
        share = self._plan.share
        pause = self._cost / share if epoch_ended and share else math.inf
        return time.monotonic() - self._last >= min(pause, 60 * self._plan.minutes)

    def save(self, take: Callable[[], Checkpoint], *, wait: bool = False) -> None:
        """Save a checkpoint, after the one that is being written.

        Args:
            take: Copies the state of the training; nothing in the copy may change any more.
            wait: Return when it is on the disk.

        Raises:
            OSError: This save (when waited for) or the one before could not be written.
        """
        self._settle()
        self._last = time.monotonic()
        checkpoint = take()
        self._writing = self._thread.submit(self._write, checkpoint, self._last)
        if wait:
            self._settle()

    def _settle(self) -> None:
        """Wait for the write under way and learn its cost, or its failure."""
        writing, self._writing = self._writing, None
        if writing is not None:
            self._cost = writing.result()

    def _write(self, checkpoint: Checkpoint, begun: float) -> float:
        content = dump_checkpoint(checkpoint)
        digest = replace_verified(self._files.checkpoint, content, previous=self._files.previous)
        self._best.write(checkpoint.best, checkpoint.history)
        # After the checkpoint: an epoch that the history shows is never trained again.
        write_history(self._files.history, checkpoint.history)
        cost = time.monotonic() - begun
        self._on_saved(SavedCheckpoint(content, digest, checkpoint.step, checkpoint.epoch))
        return cost
