"""``phase2 runs``: commands that show finished runs elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phase2.cli.console import echo, note
from phase2.cli.store import MODELS, RunArgument, StoreOption, locate_run, locate_runs


def export(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Finished runs, named as in 'phase2 runs show'.")],
    to: Annotated[
        list[str], typer.Option("--to", metavar="TRACKER", help="tensorboard, mlflow or wandb; may be repeated.")
    ],
    store: StoreOption = None,
) -> None:
    """Show finished runs in a tracker; what is there already is brought up to date, and never doubled."""
    from phase2.runs.keys import folder_of
    from phase2.runs.publish.reader import PublishedRun
    from phase2.tracking.export import export_run
    from phase2.tracking.registry import check_trackers

    trackers = check_trackers(to)
    places = locate_runs(runs, store)
    found = [PublishedRun.open(*place) for place in places]  # all, before anything is sent
    for place, run in zip(places, found, strict=True):
        folder = folder_of(place.store) or Path(MODELS)
        for tracker in trackers:
            echo(f"{run.manifest.run_id}: {tracker}: {export_run(run, tracker, folder=folder)}")


def push_hub(
    run: RunArgument,
    repo: Annotated[str, typer.Option("--repo", metavar="OWNER/NAME", help="Repository; made where it is not there.")],
    store: StoreOption = None,
    licence: Annotated[
        str | None, typer.Option("--license", help="Licence of the weights by its identifier on the Hub: cc-by-4.0.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Let everybody read a repository that is made now.")] = False,  # noqa: FBT002
) -> None:
    """Push a finished run to the Hugging Face Hub: weights as Safetensors, model card and results, in one commit."""
    from phase2.hub.push import Destination, push_run
    from phase2.runs.publish.reader import PublishedRun

    destination = Destination(repo, licence, public)
    url = push_run(PublishedRun.open(*locate_run(run, store)), destination)
    echo(f"pushed: {url}")
    if licence is None:
        note("the card states no licence: --license cc-by-4.0, for instance, does")
