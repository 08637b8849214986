"""What a thread is doing, in plain words."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from types import FrameType

_ACTIVITIES = {
    "phase2.data.prefetch": "waiting for the next batch",
    "phase2.storage": "reading or writing files",
    "phase2.training.callbacks.composite": "in a callback",
    "phase2.training.checkpoints": "saving a checkpoint",
    "phase2.training.evaluation": "validating",
    "phase2.training.learner": "computing a step",
    "phase2.training.state": "waiting for the losses, which the device computes",
}


def describe_thread(ident: int) -> str:
    """Describe what a thread of this process is doing now.

    Args:
        ident: Identifier of the thread.

    Returns:
        Such as ``computing a step, in backward (torch/_tensor.py:648)``.
    """
    frame = sys._current_frames().get(ident)  # noqa: SLF001 - the documented way to another thread's stack
    if frame is None:
        return "no longer running"
    innermost = traceback.extract_stack(frame, limit=1)[0]
    file = Path(innermost.filename)
    return f"{_activity(frame)}, in {innermost.name} ({file.parent.name}/{file.name}:{innermost.lineno})"


def _activity(frame: FrameType | None) -> str:
    """Name the activity of the innermost frame that belongs to one."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        for prefix, activity in _ACTIVITIES.items():
            if module == prefix or module.startswith(prefix + "."):
                return activity
        frame = frame.f_back
    return "busy outside of the training's own code"
