"""The checkpoint: everything that the next training step depends on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path

from torch import Tensor

from phase2.errors import ModelFileError
from phase2.models.tensorfile import entry, load_tensor_file, save_tensor_file
from phase2.runs.history import EpochRow
from phase2.training.learner import LearnerState

FORMAT = "phase2-checkpoint"
VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A training between two steps.

    Attributes:
        config_digest: Digest of the run's configuration.
        data_fingerprint: Fingerprint of crystals, labels and split.
        epoch: Epochs finished.
        losses: Losses of the finished batches of the current epoch, (batches,) float32. Their number is the position
            inside the epoch, for the batches of an epoch are a pure function of seed and epoch.
        history: Rows of the finished epochs; the best score so far is among them.
        best: Weights of the best model so far; the untrained ones before the first epoch is finished.
        learner: Model, average, optimiser and loss balancing.
        random: State of all random generators.
    """

    config_digest: str
    data_fingerprint: str
    epoch: int
    losses: Tensor
    history: tuple[EpochRow, ...]
    best: dict[str, Tensor]
    learner: LearnerState
    random: dict[str, object]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically: a crash leaves the one before."""
    learner = checkpoint.learner
    content = {
        "format": FORMAT,
        "version": VERSION,
        "config_digest": checkpoint.config_digest,
        "data_fingerprint": checkpoint.data_fingerprint,
        "epoch": checkpoint.epoch,
        "losses": checkpoint.losses,
        "history": [asdict(row) for row in checkpoint.history],
        "best": checkpoint.best,
        "learner": {field.name: getattr(learner, field.name) for field in fields(learner)},
        "random": checkpoint.random,
    }
    save_tensor_file(path, content)


def load_checkpoint(path: Path, *, config_digest: str, data_fingerprint: str) -> Checkpoint:
    """Read the checkpoint of this very run.

    Raises:
        ModelFileError: The file is missing, damaged, unsafe, made by a newer phase2, or belongs to another
            configuration or other data.
    """
    content = load_tensor_file(path, kind="checkpoint", file_format=FORMAT, version=VERSION)
    _refuse_other(path, "configuration", entry(content, "config_digest", str, path), config_digest)
    _refuse_other(path, "data", entry(content, "data_fingerprint", str, path), data_fingerprint)
    try:
        return Checkpoint(
            config_digest=config_digest,
            data_fingerprint=data_fingerprint,
            epoch=entry(content, "epoch", int, path),
            losses=entry(content, "losses", Tensor, path),
            history=tuple(EpochRow(**row) for row in entry(content, "history", list, path)),
            best=entry(content, "best", dict, path),
            learner=LearnerState(**entry(content, "learner", dict, path)),
            random=entry(content, "random", dict, path),
        )
    except TypeError as error:
        raise ModelFileError(f"The checkpoint {path} cannot be used.", why=f"It is damaged: {error}.") from error


def _refuse_other(path: Path, what: str, found: str, expected: str) -> None:
    if found != expected:
        raise ModelFileError(
            f"The checkpoint {path} belongs to another run.",
            why=f"Its {what} has the fingerprint {found[:12]}, this run's has {expected[:12]}.",
            fix=f"Resume with the same {what}, or start a new run without --resume.",
        )
