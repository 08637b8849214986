"""Callback protocol: what a training reports, and when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from phase2.config.schema import RunConfig
from phase2.runs.layout import RunDirectory
from phase2.runs.records.history import EpochRow
from phase2.runs.records.manifest import RunManifest


@dataclass(frozen=True, slots=True)
class DataProgress:
    """Crystals that have been turned into graphs.

    Attributes:
        done: Crystals so far.
        total: Crystals in all; None where that is not known.
    """

    done: int
    total: int | None


class UploadState(Protocol):
    """State of the uploads of checkpoints, which any thread may read.

    Attributes:
        unsent_bytes: Size of the saved checkpoint that waits for its upload; 0 where none does.
        is_failing: Whether the last upload failed.
    """

    @property
    def unsent_bytes(self) -> int: ...  # noqa: D102

    @property
    def is_failing(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class AttemptBegin:
    """Start of an attempt at a run, once its checkpoint is restored.

    Attributes:
        run_id: Id of the run.
        algorithm: ``e3nn`` or ``cgcnn``.
        mode: Level of the run, or ``competition``.
        attempt: Number of the attempt, counted from 1.
        device: Device of the model: ``cpu`` or ``cuda:0``.
        checkpoint: File of the newest checkpoint; missing before the first is saved.
        uploads: Uploads of checkpoints to the store; None without a store.
        config: Configuration of the run.
        data_fingerprint: SHA-256 of its data.
        history: Epochs of earlier attempts, as far as the checkpoint has them.
    """

    run_id: str
    algorithm: str
    mode: str
    attempt: int
    device: str
    checkpoint: Path
    uploads: UploadState | None
    config: RunConfig | None = None
    data_fingerprint: str = ""
    history: tuple[EpochRow, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainBegin:
    """Start of a training, or its continuation from a checkpoint.

    Attributes:
        run_id: Id of the run.
        epochs: Epochs in all.
        steps: Steps in all.
        done: Steps that were taken before.
    """

    run_id: str
    epochs: int
    steps: int
    done: int


@dataclass(frozen=True, slots=True)
class StepEnd:
    """End of a step.

    Attributes:
        step: Steps taken, this one included.
        steps: Steps in all.
        crystals: Crystals of its batch.
        lr: Its learning rate.
    """

    step: int
    steps: int
    crystals: int
    lr: float


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """End of an epoch, after its validation and its checkpoint.

    Attributes:
        row: Its numbers.
        best: Whether its score is the best so far.
        epochs: Epochs in all.
    """

    row: EpochRow
    best: bool
    epochs: int


@dataclass(frozen=True, slots=True)
class TrainEnd:
    """End of a training.

    Attributes:
        step: Steps taken.
        outcome: ``finished``; ``stopped`` on request, with a checkpoint; or ``failed``.
    """

    step: int
    outcome: Literal["finished", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class RunEnd:
    """End of a run, once its manifest is written and it is published.

    Attributes:
        run: Its directory.
        manifest: Its manifest.
        published: Its address in the store; None without a store.
    """

    run: RunDirectory
    manifest: RunManifest
    published: str | None


class Callback:
    """Base class of callbacks: every method does nothing, and a subclass overrides those that it needs.

    Methods are called in order, in the thread that called ``phase2.train``, while the training waits. A method that
    raises ends the training with :class:`phase2.errors.CallbackError`; what was trained is saved and can be resumed.

    Examples:
        >>> class Losses(Callback):
        ...     def __init__(self):
        ...         self.losses = []
        ...     def on_epoch_end(self, event):
        ...         self.losses.append(event.row.train_loss)
    """

    def on_data_progress(self, event: DataProgress) -> None:
        """Receive how many crystals have been turned into graphs; never called when their graphs are cached."""

    def on_data_end(self) -> None:
        """Receive that the data are ready, or that reading them failed."""

    def on_attempt_begin(self, event: AttemptBegin) -> None:
        """Receive which run is trained, before its training starts."""

    def on_train_begin(self, event: TrainBegin) -> None:
        """Receive that the training starts."""

    def on_step_end(self, event: StepEnd) -> None:
        """Receive that a step was taken."""

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Receive the numbers of an epoch."""

    def on_train_end(self, event: TrainEnd) -> None:
        """Receive that the training ended, for whatever reason."""

    def on_run_end(self, event: RunEnd) -> None:
        """Receive that the run is finished: its errors, its files and its address; never called for another end."""
