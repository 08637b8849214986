"""Entries of a checkpoint, with the exact type and the bounds of each."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from phase2.config.bounds import MOST_COUNTED
from phase2.runs.ancestry.model_content import Content, Name, Sha256, Word
from phase2.runs.records.history import EpochRow
from phase2.storage.archive.pickled import TensorInfo

FORMAT = "phase2-checkpoint"
VERSION = 2

Counted = Annotated[int, Field(ge=0, le=MOST_COUNTED)]
Tensors = Annotated[dict[Name, TensorInfo], Field(max_length=10_000)]
Index = Annotated[int, Field(ge=0, le=10_000)]
Indices = Annotated[list[Index], Field(max_length=10_000, fail_fast=True)]
Plain = float | int | bool | Word | None
Words32 = Annotated[tuple[Annotated[int, Field(ge=0, lt=2**32)], ...], Field(min_length=625, max_length=625)]


class OriginContent(Content):
    """Configuration, code and machine that the checkpoint was made with."""

    config: Annotated[str, Field(max_length=200_000)]
    code: dict[Name, Word]
    machine: dict[Name, Word]


class OptimizerContent(Content):
    """State of the optimiser, as PyTorch lays it out."""

    state: Annotated[dict[Index, dict[Name, TensorInfo]], Field(max_length=10_000)]
    param_groups: Annotated[
        list[dict[Name, Plain | Indices | Annotated[tuple[float | int, ...], Field(max_length=10)]]],
        Field(max_length=100, fail_fast=True),
    ]


class LearnerContent(Content):
    """State of the learner: see :class:`phase2.training.learner.LearnerState`."""

    step: Annotated[int, Field(ge=0, lt=2**62)]
    model: Tensors
    average: Tensors
    optimizer: OptimizerContent
    balancer: Tensors


class RandomContent(Content):
    """State of the random generators: see :mod:`phase2.training.seeding`."""

    python: tuple[Literal[3], Words32, float | None]
    numpy: TensorInfo
    numpy_position: Annotated[list[int | float], Field(min_length=3, max_length=3)]
    torch: TensorInfo
    cuda: Annotated[list[TensorInfo], Field(max_length=1000)] | None = None


class CheckpointContent(Content):
    """Entries of a checkpoint; tensors are described, not held. See :class:`.checkpoint.Checkpoint`."""

    format: Literal["phase2-checkpoint"]
    version: Annotated[int, Field(ge=1, le=VERSION)]
    origin: OriginContent
    config_digest: Sha256
    data_fingerprint: Word
    epoch: Counted
    losses: TensorInfo
    history: Annotated[list[EpochRow], Field(fail_fast=True)]
    best: Tensors
    learner: LearnerContent
    random: RandomContent
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if [row.epoch for row in self.history] != list(range(1, self.epoch + 1)):
            raise ValueError("its history is not that of its epochs")
        if self.losses.dtype != "torch.float32" or len(self.losses.shape) != 1:
            raise ValueError("its losses are no list of numbers")
        before = self.history[-1].step if self.history else 0
        if self.learner.step != before + self.losses.shape[0]:
            raise ValueError("its step is not that of its history and losses")
        return self
