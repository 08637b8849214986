"""Watched runs as plain lines, where there is no terminal: one for each new state and each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from phase2.cli.console import echo, note
from phase2.cli.watch.looker import Looker
from phase2.output.durations import short_duration

if TYPE_CHECKING:
    from phase2.runs.live.view import RunView


def print_lines(looker: Looker) -> None:
    """Print lines until every run has ended."""
    seen: dict[str, RunView] = {}
    trouble = ""
    while True:
        looker.wait(1.0)
        looker.check()
        if looker.trouble and looker.trouble != trouble:
            note(f"no answer: {looker.trouble}")
        trouble = looker.trouble
        views = looker.views
        if views is None:
            continue
        for view in views:
            for line in changes(seen.get(view.run_id), view):
                echo(line)
            seen[view.run_id] = view
        if not views:
            note("no run is in progress")
        if all(view.has_ended for view in views):
            return


def changes(before: RunView | None, view: RunView) -> Iterator[str]:
    """Yield the lines for what is new of a run."""
    name = f"{view.run_id} {view.algorithm} {view.mode}"
    if before is None or (before.state, before.attempt) != (view.state, view.attempt):
        attempt = f", attempt {view.attempt}" if view.attempt > 1 else ""
        more = f": {view.message}" if view.message else ""
        yield f"{name} {view.state}{attempt}{more}"
    if view.points and (before is None or before.epoch != view.epoch):
        yield f"{name} {_progress(view)}"


def _progress(view: RunView) -> str:
    point, left = view.points[-1], view.left()
    of = f"/{view.epochs}" if view.epochs else ""
    parts = [
        f"epoch {point.epoch}{of}",
        f"loss {point.train_loss:.4f}",
        f"val {point.val_loss:.4f}",
        f"score {point.score:.3f}",
        f"{point.rate:,.0f} crystals/s",
    ]
    if left is not None:
        parts.append(f"{short_duration(left)} left")
    parts += [f"{key} {value:.4g}" for key, value in point.mae.items() if value is not None]
    return ", ".join(parts)
