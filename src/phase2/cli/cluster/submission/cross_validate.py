"""``phase2 cross-validate``: a run for each fold, on a cluster or this machine, and their errors together."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from phase2.cli.cluster.options import ClusterArguments, takes_cluster
from phase2.cli.cluster.submission.local_data import PushOption
from phase2.cli.cluster.submission.submit import DryRunOption, WatchOption
from phase2.cli.cluster.submission.sweep import train_sweep
from phase2.cli.notification import NotifyOnOption, NotifyOption
from phase2.cli.options import takes_request
from phase2.cli.runs.folds import FolderOption, print_folds
from phase2.cli.store import JsonOption
from phase2.config.multirun.cross_validation import FOLDS, cross_validation
from phase2.config.request import RunRequest

FoldsOption = Annotated[int, typer.Option("--folds", help="Number of folds, each of them the test part of one run.")]
MatbenchOption = Annotated[bool, typer.Option("--matbench", help="Use the five folds of matbench, drawn by row.")]
NameOption = Annotated[
    str | None,
    typer.Option("--name", help="Name; its runs are NAME-0, NAME-1, ..., and the same name again continues them."),
]
BackendOption = Annotated[
    str,
    typer.Option(
        "--backend",
        help="local: processes of this machine, one after another; job: a Kubernetes Job for each fold; argo: one Argo "
        "Workflow, which trains four at a time.",
    ),
]


def _cross_validate(  # noqa: PLR0913 - options
    request: RunRequest,
    cluster: ClusterArguments,
    *,
    folds: FoldsOption = FOLDS,
    matbench: MatbenchOption = False,
    name: NameOption = None,
    backend: BackendOption = "local",
    to: FolderOption = Path(),
    push: PushOption = False,
    dry_run: DryRunOption = False,
    watch: WatchOption = False,
    notify: NotifyOption = None,
    notify_on: NotifyOnOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a run for each fold of the data, tested on it, and print mean and spread of their errors."""
    from phase2.runs.layout import new_run_id

    chosen = name or f"cv-{new_run_id()}"
    train_sweep(
        cross_validation(request, folds=folds, matbench=matbench),
        cluster,
        name=chosen,
        backend=backend,
        push=push,
        dry_run=dry_run,
        watch=watch,
        notify=notify,
        notify_on=notify_on,
        as_json=as_json,
        print_result=partial(print_folds, name=chosen, folder=to),
        compare="phase2 runs folds",
    )


cross_validate = takes_request(takes_cluster(_cross_validate), hidden=("output",))
