"""``phase2 runs``: commands that publish and verify runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import echo
from phase2.cli.store import (
    MODELS,
    JsonOption,
    RunArgument,
    StoreOption,
    locate_run,
    open_command_store,
    print_json,
)
from phase2.errors import DataError, RequestError

if TYPE_CHECKING:
    from phase2.runs.layout import RunDirectory


def publish(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder, or the name of a run in the models folder.")],
    store: StoreOption = None,
    models: Annotated[Path, typer.Option("--models", help="Folder to look for the run in.")] = Path(MODELS),
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Copy a finished run into a store: the whole run or nothing."""
    from phase2.cli.progress import transfer_bar
    from phase2.runs.publish.publish import publish_run

    place = open_command_store(store)
    directory = _directory(run, models)
    with transfer_bar(f"publishing {directory.run_id}") as progress:
        done = publish_run(place, directory, progress=progress)
    if as_json:
        print_json({"url": done.url, "uploaded": done.uploaded, "kept": done.kept, "already": done.already})
    else:
        echo(f"{'already published' if done.already else 'published'}: {done.url}")


def verify(run: RunArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Hash every file of a run, and name missing, damaged and extra files."""
    from phase2.runs.publish.reader import PublishedRun

    found = PublishedRun.open(*locate_run(run, store))
    result = found.verify()
    kinds = {"missing": result.missing, "damaged": result.damaged, "extra": result.extra}
    if result.replaced:
        kinds["replaced"] = result.replaced
    if as_json:
        print_json({"run": found.prefix, "intact": result.intact, **kinds})
    else:
        for kind, paths in kinds.items():
            for path in paths:
                echo(f"{kind}: {path}")
    if result.missing or result.damaged:
        raise DataError(
            f"The run '{found.prefix}' is not whole: {len(result.missing)} missing, {len(result.damaged)} damaged.",
            why="They differ from what its manifest lists.",
            fix="Publish it again from where it was trained, after 'phase2 runs delete'.",
        )
    if result.replaced:
        raise DataError(
            f"Files of '{found.prefix}' were changed after they were published: {len(result.replaced)}.",
            why="The bucket keeps what was published: phase2 reads that, and other programs read what is there now.",
            fix="Find out who may overwrite, and remove the later versions with the tools of the store.",
        )
    if not as_json:
        echo(f"{found.prefix} is whole: {len(found.manifest.artifacts)} files match its manifest")


def _directory(run: str, models: Path) -> RunDirectory:
    from phase2.runs.catalog.lookup import find_in
    from phase2.runs.layout import MANIFEST, RunDirectory

    if (Path(run) / MANIFEST).is_file():
        return RunDirectory(Path(run).resolve())
    if not models.is_dir():
        raise RequestError(
            f"{run} is not a run folder.", why=f"There is no folder {models} to look in.", fix="Give --models."
        )
    return RunDirectory(models / find_in(open_command_store(str(models)), run).prefix)
