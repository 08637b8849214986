"""``phase2 runs``: commands that change or verify a store (publish, verify, delete, prune)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import confirm, print_table
from phase2.cli.store import MODELS, JsonOption, RunArgument, StoreOption, YesOption, open_command_store, print_json
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
        typer.echo(f"{'already published' if done.already else 'published'}: {done.url}")


def verify(run: RunArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Hash every file of a run, and name missing, damaged and extra files."""
    from phase2.runs.catalog.lookup import find_in
    from phase2.runs.publish.reader import PublishedRun

    place = open_command_store(store)
    found = PublishedRun.open(place, find_in(place, run).prefix)
    result = found.verify()
    kinds = {"missing": result.missing, "damaged": result.damaged, "extra": result.extra}
    if as_json:
        print_json({"run": found.prefix, "intact": result.intact, **kinds})
    else:
        for kind, paths in kinds.items():
            for path in paths:
                typer.echo(f"{kind}: {path}")
    if not result.intact:
        raise DataError(
            f"The run '{found.prefix}' is not whole: {len(result.missing)} missing, {len(result.damaged)} damaged.",
            why="They differ from what its manifest lists.",
            fix="Publish it again from where it was trained, after 'phase2 runs delete'.",
        )
    if not as_json:
        typer.echo(f"{found.prefix} is whole: {len(found.manifest.artifacts)} files match its manifest")


def delete(
    run: RunArgument,
    store: StoreOption = None,
    yes: YesOption = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Delete a run from a store."""
    from phase2.runs.catalog.lookup import find_in
    from phase2.runs.publish.deletion import delete_run

    place = open_command_store(store)
    # Files left by a killed publisher are not listed as a run, but have to be deletable.
    prefix = run if run.count("/") == 1 and any(place.list(f"{run}/")) else find_in(place, run).prefix
    confirm(f"Remove {prefix} from {place.url}?", action="removed", yes=yes)
    files = delete_run(place, prefix)
    if as_json:
        print_json({"removed": [prefix]})
    else:
        typer.echo(f"removed {prefix}: {files} files")


def prune(
    store: StoreOption = None,
    keep_best: Annotated[
        int,
        typer.Option("--keep-best", min=0, help="Runs to keep of each kind (family, properties, data), by score."),
    ] = 0,
    older_than: Annotated[
        str | None, typer.Option("--older-than", help="Delete only older runs: 12h, 30d, 8w.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be deleted, and stop.")] = False,  # noqa: FBT002
    yes: YesOption = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Delete old runs that are not among the best; keep those that can still be resumed."""
    from datetime import UTC, datetime

    from phase2.runs.catalog.filter import parse_age
    from phase2.runs.catalog.index import list_runs
    from phase2.runs.catalog.retention import runs_to_prune
    from phase2.runs.publish.deletion import delete_run

    if not keep_best and older_than is None:
        raise RequestError("This would remove every run.", fix="Give --keep-best N, --older-than 30d, or both.")
    age = None if older_than is None else parse_age(older_than)
    place = open_command_store(store)
    chosen = runs_to_prune(list_runs(place), keep_best=keep_best, older_than=age, now=datetime.now(UTC))
    rows = [(run.prefix, f"{run.started:%Y-%m-%d}", f"{run.size / 1e6:.1f}") for run in chosen]
    if rows and not as_json:
        print_table("", ("run", "started", "MB"), rows, numeric=("MB",))
    if chosen and not dry_run:
        confirm(f"Remove these {len(chosen)} runs from {place.url}?", action="removed", yes=yes)
        for run in chosen:
            delete_run(place, run.prefix)
    word = "would be removed" if dry_run else "removed"
    if as_json:
        print_json({"dry_run": dry_run, "removed": [run.prefix for run in chosen]})
    else:
        typer.echo(f"{len(chosen)} runs {word}, {sum(run.size for run in chosen) / 1e6:.1f} MB")


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
