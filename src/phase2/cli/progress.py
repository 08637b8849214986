"""Progress on a terminal: bars with rate and time left. Elsewhere nothing is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

Report = Callable[[int, int | None], None]


@contextmanager
def work_bar(unit: str) -> Iterator[Report]:
    """A bar that counts pieces of work; call it with (done, total or None)."""
    from rich.progress import MofNCompleteColumn

    with _bar(unit, MofNCompleteColumn()) as report:
        yield report


@contextmanager
def transfer_bar(title: str) -> Iterator[Report]:
    """A bar that counts bytes; call it with (done, total or None)."""
    from rich.progress import DownloadColumn, TransferSpeedColumn

    with _bar(title, DownloadColumn(), TransferSpeedColumn()) as report:
        yield report


@contextmanager
def _bar(title: str, *columns: ProgressColumn) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    layout = (TextColumn("{task.description}"), BarColumn(), *columns, TimeRemainingColumn(compact=True))
    with Progress(*layout, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _reporter(progress, title)


def _reporter(progress: Progress, title: str) -> Report:
    task = None

    def report(done: int, total: int | None) -> None:
        nonlocal task
        if task is None:  # a bar that never moves (a cached store) is never drawn
            task = progress.add_task(title, total=total)
        progress.update(task, completed=done, total=total)

    return report
