"""The state of a training as the first process sends it to the others."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from phase2.training.checkpoints.checkpoint import Checkpoint, load_checkpoint


def received_checkpoint(content: bytes) -> Checkpoint:
    """Read the content of a checkpoint that another process sent, as carefully as a file.

    Raises:
        ModelFileError: It is damaged.
    """
    with TemporaryDirectory(prefix="phase2-") as folder:
        path = Path(folder) / "checkpoint.pt"
        path.write_bytes(content)
        return load_checkpoint(path)
