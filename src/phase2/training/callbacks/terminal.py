"""Progress bar of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phase2.training.callbacks.base import Callback, DataProgress, EpochEnd, StepEnd, TrainBegin, TrainEnd

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class TerminalBar(Callback):
    """Bar on standard error with rate, score and remaining time; it is removed at the end."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def on_data_progress(self, event: DataProgress) -> None:
        """Count crystals."""
        if self._progress is None:
            self._draw("crystals", "", total=event.total, done=event.done)
        self._update(completed=event.done, total=event.total)

    def on_data_end(self) -> None:
        """Remove the bar."""
        self._remove()

    def on_train_begin(self, event: TrainBegin) -> None:
        """Draw the bar."""
        self._remove()
        self._draw("training", "steps", total=event.steps, done=event.done)

    def on_step_end(self, event: StepEnd) -> None:
        """Move the bar."""
        self._update(completed=event.step)

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Show rate and score."""
        row = event.row
        score = f"score {row.val_score:.3f}{' (best)' if event.best else ''}"
        note = f"{row.structures_per_second:,.0f} structures/s, {score}"
        self._update(description=f"epoch {row.epoch}/{event.epochs}", note=note)

    def on_train_end(self, event: TrainEnd) -> None:  # noqa: ARG002 - the protocol's
        """Remove the bar."""
        self._remove()

    def _draw(self, title: str, unit: str, *, total: int | None, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
        tail = (TextColumn("{task.fields[note]}"), TimeRemainingColumn(compact=True))
        self._progress = Progress(*columns, *tail, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task(title, total=total, completed=done, note="")
        self._progress.start()

    def _update(self, **changes: object) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, **changes)  # type: ignore[arg-type]

    def _remove(self) -> None:
        if self._progress is not None:
            self._progress.stop()
        self._progress = self._task = None
