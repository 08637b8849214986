"""``phase2 train``: train one run here, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.console import note, print_table
from phase2.cli.options import takes_request
from phase2.cli.store import opened
from phase2.config.request import RunRequest
from phase2.config.settings import STORE_VARIABLE, store_url

if TYPE_CHECKING:
    from phase2.config.resolve import ResolvedRun

ResumeOption = Annotated[bool, typer.Option("--resume", help="Continue the newest unfinished run of this request.")]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="Processes that build the graphs (default: one per core).")
]
PublishOption = Annotated[
    str | None,
    typer.Option(
        "--store", help=f"Publish the finished run here: s3://bucket/prefix or a folder (default: ${STORE_VARIABLE})."
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print what would run, and stop.")]


def train_request(
    request: RunRequest,
    resume: ResumeOption = False,  # noqa: FBT002
    workers: WorkersOption = None,
    store: PublishOption = None,
    dry_run: DryRunOption = False,  # noqa: FBT002
) -> None:
    """Train a multi-task model and leave a complete run directory."""
    from phase2.config.resolve import resolve

    run = resolve(request)
    if dry_run:
        _print_plan(run, resume=resume)
        return

    # Opened before hours are spent on a run that could not be published then.
    place = opened(store) if store or store_url() else None

    from phase2.cli.progress import work_bar
    from phase2.cli.summary import print_summary
    from phase2.training.experiment import train_run

    finished = train_run(
        run,
        resume=resume,
        workers=workers,
        store=place,
        data_progress=lambda: work_bar("crystals"),
        notify=note,
    )
    print_summary(finished)


train = takes_request(train_request)


def _print_plan(run: ResolvedRun, *, resume: bool) -> None:
    config, output = run.config, run.request.output
    words = [word for word in run.request.command()[2:] if word not in ("--algorithm", config.algorithm)]
    script = f"python scripts/phase2_multitask/{config.backend}.py"
    typer.echo(f"would run: {' '.join([script, *words, *(['--resume'] if resume else [])])}")
    typer.echo(f"run folder: {output / config.family}/run_*")
    print_table("", ("setting", "value", "origin"), run.rows())
