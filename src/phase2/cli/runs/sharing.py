"""``phase2 runs``: commands that show finished runs elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phase2.cli.console import echo, note
from phase2.cli.store import MODELS, RunArgument, StoreOption, open_existing_store


def export(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Finished runs, by id, folder name, 'latest' or 'best'.")
    ],
    to: Annotated[
        list[str], typer.Option("--to", metavar="TRACKER", help="tensorboard, mlflow or wandb; may be repeated.")
    ],
    store: StoreOption = None,
) -> None:
    """Show finished runs in a tracker; what is there already is brought up to date, and never doubled."""
    from phase2.runs.catalog.index import list_runs
    from phase2.runs.catalog.lookup import find
    from phase2.runs.keys import folder_of
    from phase2.runs.publish.reader import PublishedRun
    from phase2.tracking.export import export_run
    from phase2.tracking.registry import check_trackers

    trackers = check_trackers(to)
    place = open_existing_store(store)
    folder = folder_of(place) or Path(MODELS)
    listed = list_runs(place)
    prefixes = list(dict.fromkeys(find(listed, name).prefix for name in runs))
    found = [PublishedRun.open(place, prefix) for prefix in prefixes]  # all, before anything is sent
    for run in found:
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
    from phase2.runs.catalog.lookup import find_in
    from phase2.runs.publish.reader import PublishedRun

    destination = Destination(repo, licence, public)
    place = open_existing_store(store)
    url = push_run(PublishedRun.open(place, find_in(place, run).prefix), destination)
    echo(f"pushed: {url}")
    if licence is None:
        note("the card states no licence: --license cc-by-4.0, for instance, does")
