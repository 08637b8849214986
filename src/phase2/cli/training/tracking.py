"""The option of commands that train for trackers of experiments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note
from phase2.config.settings import TRACK_VARIABLE

if TYPE_CHECKING:
    from phase2.cli.notification import Ending
    from phase2.training.callbacks.base import Callback

TrackOption = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="TRACKER",
        help=f"Show the run in tensorboard, mlflow or wandb; may be repeated (default: ${TRACK_VARIABLE}, or none).",
    ),
]


def check_track(given: list[str] | None) -> tuple[str, ...]:
    """Return the trackers of this process; raises ``RequestError`` where one cannot be used."""
    if not given and not os.environ.get(TRACK_VARIABLE):
        return ()
    from phase2.tracking.registry import trackers_of_process

    return trackers_of_process(given or ())


@contextmanager
def tracked_run(trackers: tuple[str, ...], ending: Ending | None = None) -> Iterator[list[Callback]]:
    """Provide the callbacks that show a run in trackers, and that note which run it is for a message of its end."""
    from phase2.cli.training.run_messages import noting_callback
    from phase2.training.callbacks.tracking import tracked

    with tracked(trackers, note) as pages:
        yield pages if ending is None else [*pages, noting_callback(ending)]
