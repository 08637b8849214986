"""Checkpoint: everything that the next training step depends on, and what it was made with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from torch import Tensor

from phase2.models.files.tensorfile import load_tensor_file, serialize_tensors
from phase2.runs.records.history import EpochRow
from phase2.training.checkpoints.content import FORMAT, VERSION, CheckpointContent
from phase2.training.learner import LearnerState


@dataclass(frozen=True, slots=True)
class Origin:
    """Configuration, code and machine that a checkpoint was made with; empty where they are not known.

    Attributes:
        config: The run's configuration as JSON.
        code: Versions that decide numbers, by name: phase2 and its sources, and the packages it computes with.
        machine: Processor or GPU and number of threads, on which the last bits of a sum may depend.
    """

    config: str
    code: dict[str, str]
    machine: dict[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """State of a training between two steps.

    Attributes:
        origin: Configuration, code and machine that it was made with.
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

    origin: Origin
    config_digest: str
    data_fingerprint: str
    epoch: int
    losses: Tensor
    history: tuple[EpochRow, ...]
    best: dict[str, Tensor]
    learner: LearnerState
    random: dict[str, object]

    @property
    def step(self) -> int:
        """Steps taken."""
        return self.learner.step


def dump_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Serialize a checkpoint to the content of its file."""
    learner = checkpoint.learner
    return serialize_tensors(
        {
            "format": FORMAT,
            "version": VERSION,
            "origin": asdict(checkpoint.origin),
            "config_digest": checkpoint.config_digest,
            "data_fingerprint": checkpoint.data_fingerprint,
            "epoch": checkpoint.epoch,
            "losses": checkpoint.losses,
            "history": [row.to_dict() for row in checkpoint.history],
            "best": checkpoint.best,
            "learner": {field.name: getattr(learner, field.name) for field in fields(learner)},
            "random": checkpoint.random,
        }
    )


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint of this or any earlier version.

    Raises:
        ModelFileError: The file is missing, damaged, unsafe, or made by a newer phase2.
    """
    content, held = load_tensor_file(
        path,
        kind="checkpoint",
        file_format=FORMAT,
        version=VERSION,
        check=lambda found: CheckpointContent.model_validate(_upgraded(found)),
    )
    learner: Any = held["learner"]
    tensors: dict[str, Any] = held
    return Checkpoint(
        origin=Origin(**content.origin.model_dump()),
        config_digest=content.config_digest,
        data_fingerprint=content.data_fingerprint,
        epoch=content.epoch,
        losses=tensors["losses"],
        history=tuple(content.history),
        best=tensors["best"],
        learner=LearnerState(**learner),
        random=tensors["random"],
    )


def _upgraded(content: dict[str, Any]) -> dict[str, Any]:
    while content["version"] < VERSION:
        content = _UPGRADES[content["version"]](content)
    return content


def _from_1(content: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not record its origin."""
    return content | {"version": 2, "origin": asdict(Origin(config="", code={}, machine={}))}


_UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1}
"""From each version to the next."""
