"""Options of ``phase2 train`` that say how a run is trained here, not what is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phase2.cli.store import local_runs
from phase2.config.settings import BASELINES_VARIABLE, STORE_VARIABLE

RunToResume = Annotated[
    str | None,
    typer.Argument(
        metavar="RUN",
        help="With --resume: the run to continue, by id, folder name or path; what is not given is as in that run.",
        autocompletion=local_runs,
    ),
]
ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Continue RUN, or the newest unfinished run of this request.")
]
MinutesOption = Annotated[
    float, typer.Option("--checkpoint-minutes", help="Longest time between two checkpoints; each epoch has one, too.")
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", help="Processes that build the graphs (default: one per core).")
]
PublishOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        help=f"Keep checkpoints and the run here: s3://bucket/prefix or a folder (default: ${STORE_VARIABLE}).",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report-to", help="Write run-id, row.json, mae.md and report.md of the finished run here."),
]
BaselinesOption = Annotated[
    bool,
    typer.Option(
        "--baselines/--no-baselines",
        help="Fit gradient boosting at the end of the run, to compare the network with.",
        envvar=BASELINES_VARIABLE,
        show_envvar=False,
    ),
]
EnsembleOption = Annotated[
    int | None,
    typer.Option(
        "--ensemble",
        help="Train so many runs that differ in their seed, to predict together; --resume NAME continues them.",
    ),
]
AlsoAloneOption = Annotated[
    bool,
    typer.Option(
        "--also-alone",
        help="Train each property also in a run of its own, and say which is better; --resume NAME continues them.",
    ),
]
AlsoFineTunedOption = Annotated[
    bool,
    typer.Option(
        "--also-fine-tuned",
        help="Train each property also in a shorter run that starts from the run of all; --resume NAME continues them.",
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print what would run, and stop.")]
