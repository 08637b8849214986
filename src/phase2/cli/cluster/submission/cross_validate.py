"""``phase2 cross-validate``: a run for each fold, on a cluster or this machine, and their errors together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ClusterArguments, takes_cluster
from phase2.cli.cluster.submission.multirun_options import Execution, takes_execution
from phase2.cli.cluster.submission.sweep import train_sweep
from phase2.cli.request_options import takes_request
from phase2.cli.runs.folds import FolderOption, print_folds
from phase2.config.multirun.cross_validation import FOLDS, cross_validation
from phase2.config.multirun.sweep import SweepRun
from phase2.config.request.run_request import RunRequest

if TYPE_CHECKING:
    from phase2.cluster.request.options import ClusterOptions

FoldsOption = Annotated[int, typer.Option("--folds", help="Number of folds, each of them the test part of one run.")]
MatbenchOption = Annotated[bool, typer.Option("--matbench", help="Use the five folds of matbench, drawn by row.")]


def _cross_validate(
    request: RunRequest,
    cluster: ClusterArguments,
    execution: Execution,
    *,
    folds: FoldsOption = FOLDS,
    matbench: MatbenchOption = False,
    to: FolderOption = Path(),
) -> None:
    """Train a run for each fold of the data, tested on it, and print mean and spread of their errors."""
    from phase2.runs.layout import new_run_id

    name = execution.name or f"cv-{new_run_id()}"
    train_sweep(
        cross_validation(request, folds=folds, matbench=matbench),
        cluster,
        execution,
        name=name,
        print_result=partial(print_folds, name=name, folder=to),
        compare="phase2 runs folds",
        check_here=_check_folds,
    )


def _check_folds(runs: Sequence[SweepRun], options: ClusterOptions) -> None:
    """Refuse data that cannot be divided into all folds, unless the training of one has begun."""
    from phase2.cli.cluster.submission.local_backend import store_of
    from phase2.cli.progress import work_bar
    from phase2.config.resolve import resolve
    from phase2.data.fold_check import check_folds
    from phase2.runs.resume.find import find_by_id

    store, output = store_of(options), runs[0].request.output
    if any(find_by_id(output, run.run_id, store) for run in runs):
        return
    with work_bar("crystals") as progress:
        check_folds([resolve(run.request).config.data for run in runs], stored_in=store, progress=progress)


cross_validate = takes_request(takes_cluster(takes_execution(_cross_validate, backend="local")), hidden=("output",))
