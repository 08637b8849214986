"""Progress on a terminal: a bar, and above it a table with one line per epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from phase2.output.durations import short_duration
from phase2.runs.live.table import epoch_line, heading, shown_keys
from phase2.training.callbacks.base import DataProgress, EpochEnd, StepEnd, TrainBegin, TrainEnd
from phase2.training.callbacks.progress import TrainingProgress

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_NARROW = 90
"""Columns of a terminal below which the bar shows no steps."""


class TerminalBar(TrainingProgress):
    """Bar on standard error with epoch, step, rate and remaining time; it is removed at the end, and the table stays.

    A terminal that goes away ends the bar, and nothing else.

    Args:
        with_lines: Whether the table is written above the bar; not where standard output has lines of its own.
    """

    def __init__(self, *, with_lines: bool = False) -> None:
        super().__init__()
        self._with_lines = with_lines
        self._has_heading = False
        self._has_gone = False
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def on_data_progress(self, event: DataProgress) -> None:
        """Count crystals."""
        if self._progress is None:
            self._draw("crystals", total=event.total, done=event.done)
        self._update(completed=event.done, total=event.total)

    def on_data_end(self) -> None:
        """Remove the bar."""
        self._remove()

    def on_train_begin(self, event: TrainBegin) -> None:
        """Draw the bar."""
        super().on_train_begin(event)
        self._remove()
        self._draw(self._title(event.epochs), total=event.steps, done=event.done)

    def on_step_end(self, event: StepEnd) -> None:
        """Move the bar."""
        super().on_step_end(event)
        self._update(completed=event.step, note=self._note())

    def on_epoch_end(self, event: EpochEnd) -> None:
        """Write the line of the epoch, and count it."""
        super().on_epoch_end(event)
        if self._with_lines and self._progress is not None:
            with self._unless_gone():
                self._print_line(event, self._progress)
        score = "" if self._with_lines else f", score {event.row.val_score:.3f}{' (best)' if event.best else ''}"
        self._update(description=self._title(event.epochs), note=self._note() + score)

    def on_train_end(self, event: TrainEnd) -> None:
        """Remove the bar."""
        super().on_train_end(event)
        self._remove()

    def _print_line(self, event: EpochEnd, progress: Progress) -> None:
        keys = shown_keys(list(event.row.val_errors), progress.console.width, event.row.own_units)
        lines = [] if self._has_heading else heading(keys, event.row.own_units)
        self._has_heading = True
        lines.append(epoch_line(event.row, keys, epochs=event.epochs, best=event.best, left=self.eta()))
        for line in lines:
            progress.console.print(line, markup=False, highlight=False, no_wrap=True, crop=True, style=_style(event))

    def _title(self, epochs: int) -> str:
        done = len(self.rows)
        return f"epoch {min(done + 1, epochs)}/{epochs}"

    def _note(self) -> str:
        rate, left = self.rate(), self.eta()
        speed = "" if rate is None else f"{rate:,.0f} crystals/s"
        return speed if left is None else ", ".join(filter(None, (speed, f"{short_duration(left)} left")))

    def _draw(self, title: str, *, total: int | None, done: int) -> None:
        if self._has_gone:
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn

        console = Console(stderr=True)
        is_training = self.is_training
        count = (TextColumn("step"), MofNCompleteColumn()) if is_training else (MofNCompleteColumn(),)
        middle = (TaskProgressColumn(),) if is_training and console.width < _NARROW else count
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            *middle,
            TextColumn("{task.fields[note]}"),
        )
        self._progress = Progress(*columns, console=console, transient=True, expand=True)
        self._task = self._progress.add_task(title, total=total, completed=done, note="")
        with self._unless_gone():
            self._progress.start()

    def _update(self, **changes: object) -> None:
        if self._progress is not None and self._task is not None:
            with self._unless_gone():
                self._progress.update(self._task, **changes)  # type: ignore[arg-type]

    def _remove(self) -> None:
        progress, self._progress, self._task = self._progress, None, None
        if progress is not None:
            with self._unless_gone():
                progress.stop()

    @contextmanager
    def _unless_gone(self) -> Iterator[None]:
        """Draw nothing any more once the terminal cannot be written."""
        try:
            yield
        except OSError:
            self._has_gone = True
            if self._progress is not None:
                with suppress(OSError):
                    self._progress.stop()
            self._progress = self._task = None


def _style(event: EpochEnd) -> str:
    return "bold" if event.best else ""
