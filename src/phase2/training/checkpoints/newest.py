"""The newest usable checkpoint of a run directory."""

from __future__ import annotations

import logging
from collections.abc import Callable

from phase2.errors import ModelFileError
from phase2.runs.layout import RunDirectory
from phase2.training.checkpoints.checkpoint import Checkpoint, load_checkpoint
from phase2.training.result import TrainingFiles

_LOG = logging.getLogger(__name__)


def newest_checkpoint(files: TrainingFiles) -> Checkpoint:
    """Read the newest usable checkpoint: where it is damaged, the one before, with a warning.

    Raises:
        ModelFileError: There is none, or none is usable.
    """
    try:
        return load_checkpoint(files.checkpoint)
    except ModelFileError as error:
        if not files.previous.is_file():
            raise
        checkpoint = load_checkpoint(files.previous)
        _LOG.warning("%s Falling back to the checkpoint before it, step %d.", error, checkpoint.step)
        return checkpoint


def restore_newest(files: TrainingFiles, restore: Callable[[Checkpoint], str]) -> str:
    """Restore the newest checkpoint that fits: where the newest does not, the one before, with a warning.

    Args:
        files: Files of the training.
        restore: Restores a checkpoint and describes what has changed since; it may have done a part when it raises.

    Raises:
        ModelFileError: There is none, or none fits.
    """
    newest = newest_checkpoint(files)
    try:
        return restore(newest)
    except ModelFileError as error:
        before = _before(files, newest)
        if before is None:
            raise
        changed = restore(before)
        _LOG.warning("%s Falling back to the checkpoint before it, step %d.", error, before.step)
        return changed


def _before(files: TrainingFiles, newest: Checkpoint) -> Checkpoint | None:
    try:
        before = load_checkpoint(files.previous)
    except ModelFileError:
        return None
    return before if before.step != newest.step else None


def newest_step(run: RunDirectory) -> int:
    """Return the step of the newest usable checkpoint in a run directory; -1 without one."""
    for path in (run.checkpoint, run.previous_checkpoint):
        if path.exists():
            try:
                return load_checkpoint(path).step
            except ModelFileError:
                continue
    return -1
