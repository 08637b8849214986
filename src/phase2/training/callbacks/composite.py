"""Several callbacks as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from phase2.errors import CallbackError, PreemptedError
from phase2.training.callbacks.base import (
    AttemptBegin,
    Callback,
    DataProgress,
    EpochEnd,
    RunEnd,
    StepEnd,
    TrainBegin,
    TrainEnd,
)


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

    def on_attempt_begin(self, event: AttemptBegin) -> None:
        """Call all."""
        self._call_all(lambda callback: callback.on_attempt_begin(event), "on_attempt_begin")

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

    def on_run_end(self, event: RunEnd) -> None:
        """Call all."""
        self._call_all(lambda callback: callback.on_run_end(event), "on_run_end")

    def _call_all(self, method: Callable[[Callback], None], name: str) -> None:
        for callback in self._callbacks:
            self._call(callback, method, name)

    @staticmethod
    def _call(callback: Callback, method: Callable[[Callback], None], name: str) -> None:
        try:
            method(callback)
        except (PreemptedError, CallbackError):  # of a callback within this one
            raise
        except Exception as error:
            raise CallbackError(
                f"The callback {type(callback).__name__} failed in {name}: {type(error).__name__}: {error}",
                why="A callback that raises ends the training; what was trained until then is saved.",
                fix="Correct the callback, then continue the run: resume=True.",
            ) from error
