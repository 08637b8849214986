"""``phase2 runs``: list, rank, show and compare runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note, print_table
from phase2.cli.runs import maintenance, page, removal, sharing
from phase2.cli.runs.filter import takes_filter
from phase2.cli.store import JsonOption, RunArgument, StoreOption, open_command_store, print_json
from phase2.errors import RequestError, UnknownNameError
from phase2.properties import KEYS
from phase2.runs.catalog.filter import RunFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phase2.runs.catalog.summary import RunSummary

ROWS = 50
RebuildOption = Annotated[
    bool, typer.Option("--rebuild", help="Read every run, ignoring the index and the markers, and write both anew.")
]

app = typer.Typer(help="List, compare, check, publish and remove runs.", rich_markup_mode=None)


def _list(
    condition: RunFilter,
    store: StoreOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=0, help=f"Maximum rows; 0 for all (default: {ROWS}; all as JSON).")
    ] = None,
    rebuild: RebuildOption = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List runs, the newest first."""
    from phase2.runs.catalog.index import list_runs

    runs = [run for run in list_runs(open_command_store(store), rebuild=rebuild) if condition.passes(run)]
    _print_runs(runs, limit, as_json=as_json)


def _best(
    condition: RunFilter,
    store: StoreOption = None,
    by: Annotated[
        str, typer.Option("--by", help="Rank by score, or by the validation MAE of a property. Never by test errors.")
    ] = "score",
    limit: Annotated[int, typer.Option("--limit", min=0, help="Maximum rows; 0 for all.")] = 10,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List finished runs, the best first, ranked by their validation errors."""
    if by not in ("score", *KEYS):
        raise UnknownNameError.of("measure", by, ("score", *KEYS))
    from phase2.runs.catalog.index import list_runs
    from phase2.runs.catalog.lookup import best_first

    runs = best_first((run for run in list_runs(open_command_store(store)) if condition.passes(run)), by)
    shown = runs[: limit or None]
    _warn_of_different_data([run.data for run in shown])
    _print_runs(shown, 0, by=by, as_json=as_json)


app.command("list")(takes_filter(_list))


@app.command("show")
def show(run: RunArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Show the manifest of a run, or the progress of an unfinished one."""
    from phase2.cli.runs.details import print_details, print_unfinished
    from phase2.runs.catalog.lookup import find_in
    from phase2.runs.catalog.summary import WITHOUT_MANIFEST
    from phase2.runs.catalog.unfinished import UnfinishedRun
    from phase2.runs.publish.reader import PublishedRun

    place = open_command_store(store)
    summary = find_in(place, run)
    if summary.status in WITHOUT_MANIFEST:
        unfinished = UnfinishedRun.read(place, summary)
        print_json(unfinished.model_dump(mode="json")) if as_json else print_unfinished(unfinished)
        return
    found = PublishedRun.open(place, summary.prefix)
    if as_json:
        print_json(found.manifest.model_dump(mode="json"))
        return
    print_details(found.prefix, found.manifest)


@app.command("compare")
def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Two or more runs.")],
    store: StoreOption = None,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Compare the errors of runs, property by property."""
    from phase2.runs.catalog.comparison import compare_runs
    from phase2.runs.catalog.index import list_runs
    from phase2.runs.catalog.lookup import find
    from phase2.runs.publish.reader import PublishedRun

    if len(runs) < 2:
        raise RequestError("A comparison needs two runs or more.", fix="Name another run.")
    place = open_command_store(store)
    listed = list_runs(place)
    prefixes = list(dict.fromkeys(find(listed, name).prefix for name in runs))
    manifests = [PublishedRun.open(place, prefix).manifest for prefix in prefixes]
    rows = compare_runs(manifests)
    if as_json:
        print_json([{**row.labels(), "values": dict(zip(prefixes, row.values, strict=True))} for row in rows])
        return
    from phase2.runs.report.markdown import number

    _warn_of_different_data([manifest.data.fingerprint if manifest.data else None for manifest in manifests])
    ids = [manifest.run_id for manifest in manifests]
    cells = [(*row.labels().values(), *map(number, row.values)) for row in rows]
    print_table("", ("property", "unit", "part", "measure", *ids), cells, numeric=ids)


app.command("page")(page.page)
app.command("serve")(page.serve)
app.command("best")(takes_filter(_best, hidden=("status",)))
app.command("verify")(maintenance.verify)
app.command("publish")(maintenance.publish)
app.command("export")(sharing.export)
app.command("push-hub")(sharing.push_hub)
app.command("delete")(removal.delete)
app.command("prune")(removal.prune)


def _print_runs(runs: Sequence[RunSummary], limit: int | None, *, by: str = "score", as_json: bool) -> None:
    from phase2.runs.catalog.lookup import ranking_value

    if as_json:
        print_json([run.model_dump(mode="json") for run in runs[: limit or None]])
        return
    from phase2.runs.report.markdown import number

    shown = runs[: (ROWS if limit is None else limit) or None]
    measure = "score" if by == "score" else f"val MAE of {by}"
    rows = [
        (run.run_id, run.family, run.mode, run.state, f"{run.started:%Y-%m-%d %H:%M}", number(ranking_value(run, by)),
         ", ".join(run.properties))
        for run in shown
    ]  # fmt: skip
    columns = ("run", "family", "mode", "status", "started (UTC)", measure, "properties")
    if rows:
        print_table("", columns, rows, numeric=(measure,))
    if len(shown) < len(runs):
        note(f"{len(runs) - len(shown)} more of {len(runs)}: --limit 0 shows all")
    if not runs:
        note("no run")


def _warn_of_different_data(fingerprints: Sequence[str | None]) -> None:
    if len(set(fingerprints)) > 1:
        note("note: these runs were trained and measured on different data; their errors compare only roughly")
