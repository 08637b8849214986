"""``phase2 runs``: list, rank, show and compare runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note, print_table
from phase2.cli.runs import folds, maintenance, page, removal, sharing
from phase2.cli.runs.filter import takes_filter
from phase2.cli.runs.renamed import note_renamed
from phase2.cli.runs.table import ROWS, ColumnsOption, print_runs
from phase2.cli.store import (
    JsonOption,
    RunArgument,
    StoreOption,
    local_runs,
    locate_run,
    locate_runs,
    open_existing_store,
    print_json,
)
from phase2.errors import RequestError
from phase2.runs.catalog.filter import RunFilter, trained_properties

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phase2.runs.catalog.summary import RunSummary

RebuildOption = Annotated[
    bool, typer.Option("--rebuild", help="Read every run, ignoring the index and the markers, and write both anew.")
]

app = typer.Typer(help="List, compare, check, publish and remove runs.", rich_markup_mode=None)


def _list(
    condition: RunFilter,
    store: StoreOption = None,
    sort: Annotated[
        str,
        typer.Option("--sort", help="Sort by a column: seed, rate, score, mae:bulk_modulus, ... (default: newest)."),
    ] = "",
    reverse: Annotated[bool, typer.Option("--reverse", help="With --sort: the highest first.")] = False,  # noqa: FBT002
    columns: ColumnsOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=0, help=f"Maximum rows; 0 for all (default: {ROWS}; all as JSON).")
    ] = None,
    rebuild: RebuildOption = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List runs, the newest first."""
    from phase2.runs.catalog.columns import sort_runs
    from phase2.runs.catalog.index import list_runs

    place = open_existing_store(store)
    runs = _selected(list_runs(place, rebuild=rebuild), condition)
    runs = sort_runs(runs, sort, reverse=reverse) if sort else runs
    print_runs(runs, limit, columns=columns, also=sort, as_json=as_json)
    note_renamed(place)


def _best(
    condition: RunFilter,
    store: StoreOption = None,
    by: Annotated[
        str,
        typer.Option(
            "--by",
            "--for",
            help="Rank by score, or by the validation MAE of a property (log loss of a binary one). Never by test "
            "errors.",
        ),
    ] = "score",
    columns: ColumnsOption = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Maximum rows; 0 for all.")] = 10,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List finished runs that compare, the best first, ranked by their validation errors."""
    from phase2.runs.catalog.best import compare_best
    from phase2.runs.catalog.index import list_runs

    best = compare_best(_selected(list_runs(open_existing_store(store)), condition), by)
    note(best.sentence())
    print_runs(
        best.runs[: limit or None], 0, columns=columns, also="" if by == "score" else f"mae:{by}", as_json=as_json
    )


def _selected(runs: Sequence[RunSummary], condition: RunFilter) -> list[RunSummary]:
    """Return the runs that pass, and say so where none of the store has the property that was asked for."""
    found, known = condition.select(runs), trained_properties(runs)
    if condition.property is not None and condition.property not in known:
        note(f"no run here is trained on {condition.property}; there are runs of: {', '.join(known) or 'nothing'}")
    return found


app.command("list")(takes_filter(_list))


@app.command("show")
def show(run: RunArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Show the manifest of a run, or the progress of an unfinished one."""
    from phase2.cli.runs.details import print_details, print_unfinished
    from phase2.runs.catalog.index import read_summary
    from phase2.runs.catalog.summary import WITHOUT_MANIFEST
    from phase2.runs.catalog.unfinished import UnfinishedRun
    from phase2.runs.publish.reader import PublishedRun

    place = locate_run(run, store)
    summary = read_summary(*place)
    if summary is not None and summary.status in WITHOUT_MANIFEST:
        unfinished = UnfinishedRun.read(place.store, summary)
        print_json(unfinished.model_dump(mode="json")) if as_json else print_unfinished(unfinished)
        return
    found = PublishedRun.open(*place)
    if as_json:
        print_json(found.manifest.model_dump(mode="json"))
        return
    print_details(found.prefix, found.manifest)


@app.command("compare")
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Two or more runs.", autocompletion=local_runs)],
    store: StoreOption = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Compare the errors of runs, property by property."""
    from phase2.runs.catalog.comparison import compare_runs
    from phase2.runs.catalog.same_data import on_same_data
    from phase2.runs.publish.reader import PublishedRun

    if len(runs) < 2:
        raise RequestError("A comparison needs two runs or more.", fix="Name another run.")
    places = locate_runs(runs, store)
    manifests = [PublishedRun.open(*place).manifest for place in places]
    rows = compare_runs(manifests)
    if as_json:
        prefixes = [place.prefix for place in places]
        if len(set(prefixes)) < len(prefixes):  # copies of a run, in several stores
            prefixes = [f"{place.store.url}/{place.prefix}" for place in places]
        print_json([{**row.labels(), "values": dict(zip(prefixes, row.values, strict=True))} for row in rows])
        return
    from phase2.runs.report.markdown import number

    if not on_same_data(manifests):
        note("note: these runs were trained and measured on different data; their errors compare only roughly")
    ids = [manifest.run_id for manifest in manifests]
    cells = [(*row.labels().values(), *map(number, row.values)) for row in rows]
    print_table("", ("property", "unit", "part", "measure", "better", *ids), cells, numeric=ids)


app.command("folds")(folds.folds)
app.command("page")(page.page)
app.command("serve")(page.serve)
app.command("best")(takes_filter(_best, hidden=("status",)))
app.command("verify")(maintenance.verify)
app.command("publish")(maintenance.publish)
app.command("export")(sharing.export)
app.command("push-hub")(sharing.push_hub)
app.command("delete")(removal.delete)
app.command("prune")(removal.prune)
