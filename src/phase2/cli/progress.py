"""Progress bars with rate and remaining time, drawn on a terminal only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from phase2.output.visible import line
from phase2.storage.progress import ProgressCallback

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn


@contextmanager
def work_bar(unit: str) -> Iterator[ProgressCallback]:
    """Show a bar that counts items; yield its callback."""
    from rich.progress import MofNCompleteColumn

    with _bar(unit, MofNCompleteColumn()) as report:
        yield report


@contextmanager
def transfer_bar(title: str) -> Iterator[ProgressCallback]:
    """Show a bar that counts bytes; yield its callback."""
    from rich.progress import DownloadColumn, TransferSpeedColumn

    with _bar(title, DownloadColumn(), TransferSpeedColumn()) as report:
        yield report


@contextmanager
def _bar(title: str, *columns: ProgressColumn) -> Iterator[ProgressCallback]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    layout = (TextColumn("{task.description}"), BarColumn(), *columns, TimeRemainingColumn(compact=True))
    with Progress(*layout, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield _reporter(progress, title)


def _reporter(progress: Progress, title: str) -> ProgressCallback:
    from rich.markup import escape

    task = None

    def report(done: int, total: int | None) -> None:
        nonlocal task
        if task is None:  # a bar that never moves (a cached store) is never drawn
            task = progress.add_task(escape(line(title)), total=total)
        progress.update(task, completed=done, total=total)

    return report
