"""Callback protocol: what a training reports, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from phase2.errors import CallbackError, PreemptedError
from phase2.runs.history import EpochRow


@dataclass(frozen=True, slots=True)
class DataProgress:
    """Crystals that have been turned into graphs.

    Attributes:
        done: Crystals so far.
        total: Crystals in all; None where that is not known.
    """

    done: int
    total: int | None


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
    """

    step: int
    steps: int


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


class Callback:
    """Base class of callbacks: every method does nothing, and a subclass overrides those that it needs.

    Methods are called in order, in the thread that called ``phase2.train``, while the training waits. A method that
    raises ends the training with :class:`phase2.errors.CallbackError`; what was trained is saved and can be resumed.

    Example:
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

    def on_train_begin(self, event: TrainBegin) -> None:
        """Receive that the training starts."""

    def on_step_end(self, event: StepEnd) -> None:
        """Receive that a step was taken."""

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Receive the numbers of an epoch."""

    def on_train_end(self, event: TrainEnd) -> None:
        """Receive that the training ended, for whatever reason."""


class CompositeCallback(Callback):
    """Several callbacks as one, called in order; the first that raises is named.

    Args:
        callbacks: The callbacks.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._callbacks = tuple(callbacks)

    def on_data_progress(self, event: DataProgress) -> None:
        """Call all."""
        self._call_all(lambda callback: callback.on_data_progress(event), "on_data_progress")

    def on_data_end(self) -> None:
        """Call all."""
        self._call_all(lambda callback: callback.on_data_end(), "on_data_end")

    def on_train_begin(self, event: TrainBegin) -> None:
        """Call all."""
        self._call_all(lambda callback: callback.on_train_begin(event), "on_train_begin")

    def on_step_end(self, event: StepEnd) -> None:
        """Call all."""
        self._call_all(lambda callback: callback.on_step_end(event), "on_step_end")

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Call all."""
        self._call_all(lambda callback: callback.on_epoch_end(event), "on_epoch_end")

    def on_train_end(self, event: TrainEnd) -> None:
        """Call all, also those behind one that raises: bars have to be closed."""
        failures: list[CallbackError] = []
        for callback in self._callbacks:
            try:
                self._call(callback, lambda one: one.on_train_end(event), "on_train_end")
            except CallbackError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _call_all(self, method: Callable[[Callback], None], name: str) -> None:
        for callback in self._callbacks:
            self._call(callback, method, name)

    @staticmethod
    def _call(callback: Callback, method: Callable[[Callback], None], name: str) -> None:
        try:
            method(callback)
        except PreemptedError:
            raise
        except Exception as error:
            raise CallbackError(
                f"The callback {type(callback).__name__} failed in {name}: {type(error).__name__}: {error}",
                why="A callback that raises ends the training; what was trained until then is saved.",
                fix="Correct the callback, then continue the run: resume=True.",
            ) from error
