"""The commands of ``phase2 workflow``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from phase2.cli.console import echo, echo_text, note
from phase2.cli.notification import notices, workflow_message
from phase2.cli.store import StoreOption, open_command_store, open_existing_store
from phase2.cli.workflow.placement import Placement, takes_placement
from phase2.cli.workflow.results import FolderOption, NameOption, write_results
from phase2.cli.workflow.validate import expand, validate
from phase2.cluster.request.defaults import ALL
from phase2.config.settings import run_id_of_process, run_to_resume
from phase2.errors import RequestError

app = typer.Typer(help="Commands of workflow steps.", rich_markup_mode=None)

app.command("validate")(validate)
app.command("expand")(expand)


@app.command("report")
def report(
    run: Annotated[
        str | None, typer.Argument(metavar="RUN", help="Run id (default: the run of this workflow).")
    ] = None,
    store: StoreOption = None,
    to: FolderOption = Path(),
) -> None:
    """Write the results of a finished run in the store: run-id, row.json, mae.md and report.md."""
    from phase2.runs.catalog.lookup import find_in
    from phase2.runs.catalog.outputs import write_report
    from phase2.runs.layout import HANDOFF
    from phase2.runs.publish.reader import PublishedRun

    name = run or run_to_resume() or run_id_of_process()
    if name is None:
        raise RequestError("No run is named.", fix="Name one, or set PHASE2_RUN_ID.")
    place = open_existing_store(store)
    found = PublishedRun.open(place, find_in(place, name).prefix)
    table = write_report(to, found.manifest, place.read(f"{found.prefix}/{HANDOFF}").decode())
    echo_text(f"{table}\n")


@app.command("compare")
def compare(
    rows: Annotated[
        str, typer.Option("--rows", help="JSON list of row.json.", envvar="PHASE2_ROWS", show_envvar=False)
    ],
    to: FolderOption = Path(),
) -> None:
    """Rank the finished runs of a sweep by validation score: comparison.md, best-run and runs (ids, the best first)."""
    from pydantic import TypeAdapter, ValidationError

    from phase2.cli.runs.comparison import print_comparison
    from phase2.runs.catalog.ranking import RunRow

    try:
        found = TypeAdapter(list[RunRow]).validate_json(rows)
    except ValidationError as error:
        raise RequestError("--rows is not a list of rows.", why=str(error.errors()[0]["msg"]) + ".") from error
    table, ids = print_comparison(found)
    write_results(to, {"comparison.md": table, "best-run": ids[0], "runs": " ".join(ids)})


def _split(
    directory: Annotated[str, typer.Option("--dir", help="A folder of structures, or s3://bucket/prefix.")],
    *,
    placement: Placement,
    parts: Annotated[int, typer.Option("--parts", min=1, help="Maximum number of parts.")] = 4,
    to: FolderOption = Path(),
) -> None:
    """Write parts.json, the parts of a set of structures for phase2 predict --part, and pod, what each pod gets."""
    from phase2.data.crystals.listing import list_structures
    from phase2.prediction.stored_inputs import list_stored_structures
    from phase2.storage.urls import is_address

    if not directory:
        raise RequestError("No structures are named.", fix="Name s3://bucket/prefix.")
    count = (
        len(list_stored_structures(open_command_store(directory)).objects)
        if is_address(directory)
        else len(list_structures(Path(directory)).structures)
    )
    used = min(parts, count)
    items = [{"part": str(number), "parts": str(used)} for number in range(1, used + 1)]
    pod = placement.patches(placement.of(ALL, ALL)).prepare
    write_results(to, {"parts.json": json.dumps(items), "pod": pod})
    echo(f"{count} structures in {used} parts")


app.command("split")(takes_placement(_split))


@app.command("finish")
def finish(
    name: NameOption,
    status: Annotated[str, typer.Option("--status", help="Its status.", envvar="PHASE2_WORKFLOW_STATUS")],
    failures: Annotated[
        str, typer.Option("--failures", help="JSON of the failed steps.", envvar="PHASE2_WORKFLOW_FAILURES")
    ] = "",
    store: StoreOption = None,
) -> None:
    """Record in the store how a workflow ended and which steps failed, including steps without a run."""
    from phase2.cluster.status.outcome import WorkflowOutcome

    outcome = WorkflowOutcome.of(name, status, failures)
    for line in outcome.lines():
        echo(line)
    place = open_command_store(store)
    outcome.save(place)
    note(f"kept as {outcome.key} in {place.url}")
    notices(None, None).tell(lambda: workflow_message(outcome, place))
