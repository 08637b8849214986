"""``phase2 pull``: download a run from a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phase2.cli.store import MODELS, JsonOption, RunArgument, StoreOption, open_command_store, print_json


def pull(
    run: RunArgument,
    store: StoreOption = None,
    to: Annotated[Path, typer.Option("--to", help="Folder that holds the runs.")] = Path(MODELS),
    only: Annotated[list[str] | None, typer.Option("--only", help="A file such as best.pt; may be repeated.")] = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Download a run from a store and verify every file; an interrupted pull resumes."""
    from phase2.cli.progress import transfer_bar
    from phase2.runs.catalog.lookup import find_in
    from phase2.runs.publish.reader import PublishedRun

    place = open_command_store(store)
    found = PublishedRun.open(place, find_in(place, run).prefix)
    with transfer_bar(f"pulling {found.manifest.run_id}") as progress:
        directory = found.pull(to, only=only or (), progress=progress)
    paths = [str(directory.path / name) for name in only or ()] or [str(directory.path)]
    if as_json:
        print_json({"run": found.prefix, "paths": paths})
    else:
        for path in paths:
            typer.echo(path)
