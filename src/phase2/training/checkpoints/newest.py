"""The newest usable checkpoint of a run directory."""

from __future__ import annotations

import logging

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


def newest_step(run: RunDirectory) -> int:
    """Return the step of the newest usable checkpoint in a run directory; -1 without one."""
    for path in (run.checkpoint, run.previous_checkpoint):
        if path.exists():
            try:
                return load_checkpoint(path).step
            except ModelFileError:
                continue
    return -1
