"""``phase2 report``: one page of HTML about runs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import echo, note
from phase2.cli.runs.sealed import refuse_sealed_run
from phase2.cli.store import StoreOption, local_runs, open_existing_store
from phase2.storage.disk.home import expand_home

if TYPE_CHECKING:
    from phase2.runs.report.html.files import RunFiles

RunsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN...]",
        help="Run ids, folder names, unique prefixes of these, 'latest' or 'best'; run folders; or addresses of runs "
        "in a store. Several are shown side by side (default: latest).",
        autocompletion=local_runs,
    ),
]


def report(
    runs: RunsArgument = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="File to write (default: report-RUN.html, or report.html)."),
    ] = None,
    store: StoreOption = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,  # noqa: FBT002
) -> None:
    """Write a report of runs: one file of HTML that needs nothing beside it.

    It is made from the files of the runs alone, in a folder or in a bucket; what a run did not record is left out, and
    said. Finished runs have the report of their own beside their other files, as report.html.
    """
    from phase2.runs.catalog.same_data import on_same_data
    from phase2.runs.report.html.inputs import read_run
    from phase2.runs.report.html.page import report as page
    from phase2.storage.disk.atomic import write_text
    from phase2.storage.disk.errors import disk_errors

    named = [_files(name, store) for name in runs or ["latest"]]
    found = [read_run(files) for files in {files.where: files for files in named}.values()]
    target = output or Path(f"report-{found[0].run_id}.html" if len(found) == 1 else "report.html")
    refuse_sealed_run(target, "--output")
    text = page(found, same_data=on_same_data([one.manifest for one in found if one.manifest and one.manifest.data]))
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, text)
    for one in found:
        for missing in one.notes:
            note(f"{one.run_id}: {missing}")
    echo(f"report: {target} ({len(text.encode()) / 1e6:.1f} MB)")
    if open_it:
        typer.launch(str(target.resolve()))


def _files(name: str, store: str | None) -> RunFiles:
    """Find the files of a run: a folder, an address, or a name in a store."""
    from phase2.runs.catalog.named import locate
    from phase2.runs.keys import local_run
    from phase2.runs.layout import holds_run
    from phase2.runs.report.html.files import files_in_store, files_of_folder

    folder = expand_home(name)
    if holds_run(folder):
        return files_of_folder(folder.resolve())
    place, prefix = locate(name, partial(open_existing_store, store))
    here = local_run(place, prefix)
    return files_in_store(place, prefix) if here is None else files_of_folder(here.path)
