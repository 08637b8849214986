"""``phase2 runs folds``: the runs of a cross-validation together, as a table, JSON and matbench's record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import echo, echo_text, note
from phase2.cli.store import JsonOption, StoreOption, open_existing_store, print_json

if TYPE_CHECKING:
    from phase2.runs.catalog.cross_validation.folds import CrossValidation
    from phase2.runs.publish.reader import PublishedRun
    from phase2.runs.records.predictions import PartPredictions

FolderOption = Annotated[
    Path, typer.Option("--to", help="Folder for the table, NAME.md and NAME.json, and for matbench's records.")
]
RunsArgument = Annotated[
    list[str], typer.Argument(metavar="RUN...", help="Ids of the runs of a cross-validation, or its name.")
]


def folds(
    runs: RunsArgument, *, store: StoreOption = None, to: FolderOption = Path(), as_json: JsonOption = False
) -> None:
    """Gather the runs of a cross-validation: mean and spread of their test errors."""
    from phase2.runs.catalog.cross_validation.names import ids_of

    ids, name = ids_of(runs, open_existing_store(store))
    made, files = _gather(ids, store, name, to)
    if as_json:
        print_json(made.model_dump(mode="json"))
    else:
        _print(made, files)


def print_folds(run_ids: Sequence[str], store: str | None, *, name: str, folder: Path) -> None:
    """Print the table of a cross-validation, and write its files.

    Args:
        run_ids: Ids of its runs.
        store: Store of the runs.
        name: Its name.
        folder: Folder for its files.

    Raises:
        DataError: None of its runs is finished.
    """
    _print(*_gather(run_ids, store, name, folder))


def _print(made: CrossValidation, files: Sequence[Path]) -> None:
    echo_text(made.markdown())
    echo(f"written: {', '.join(map(str, files))}")


def _gather(run_ids: Sequence[str], store: str | None, name: str, folder: Path) -> tuple[CrossValidation, list[Path]]:
    from phase2.runs.catalog.cross_validation.files import write_fold_files
    from phase2.runs.catalog.cross_validation.folds import CrossValidation
    from phase2.runs.catalog.index import list_runs
    from phase2.runs.publish.reader import PublishedRun

    place = open_existing_store(store)
    listed = [run for run in list_runs(place) if run.run_id in run_ids and run.status == "finished"]
    found = [PublishedRun.open(place, run.prefix) for run in listed]
    missing = [run_id for run_id in run_ids if run_id not in {run.manifest.run_id for run in found}]
    for run_id in missing:
        note(f"{run_id} is not finished: it is missing from the table")
    made = CrossValidation.of(name, [run.manifest for run in found], missing)
    by_id = {run.manifest.run_id: (run.manifest, _predictions(run)) for run in found}
    return made, write_fold_files(folder, made, by_id)


def _predictions(run: PublishedRun) -> PartPredictions:
    from phase2.runs.catalog.cross_validation.files import parse_test_part
    from phase2.runs.layout import RunDirectory

    key = f"{run.prefix}/{RunDirectory(Path()).predictions_test.name}"
    content = run.with_published_files().store.read(key)
    return parse_test_part(run.manifest, content.decode(), where=key)
