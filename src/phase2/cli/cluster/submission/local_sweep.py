"""``phase2 sweep --backend local``: the runs of a sweep on this machine, one after another."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import typer

from phase2.cli.cluster.submission.local_backend import execute, print_local_plan
from phase2.cli.console import echo, note
from phase2.cli.notification import Notices
from phase2.cli.runs.comparison import PrintResult, print_finished
from phase2.cli.store import open_command_store, print_json

if TYPE_CHECKING:
    from phase2.cluster.local import LocalPlan
    from phase2.cluster.request.options import ClusterOptions
    from phase2.config.multirun.sweep import SweepRun
    from phase2.notification.message import Message


def sweep_locally(
    name: str,
    runs: Sequence[SweepRun],
    options: ClusterOptions,
    *,
    messages: Notices,
    dry_run: bool,
    as_json: bool,
    print_result: PrintResult = print_finished,
) -> None:
    """Train the runs of a sweep and print them ranked; a run that fails is left out, and the others continue.

    Args:
        name: Name of the sweep.
        runs: Its runs; those that are finished are not trained again.
        options: Cluster options; those for CPU, store and checkpoints are honoured.
        messages: To whom a message of its end goes.
        dry_run: Print what would run, and stop.
        as_json: Print JSON; the output of the runs goes to standard error.
        print_result: Prints what the finished runs are together.

    Raises:
        RequestError: An id belongs to another request, or an option is invalid.
        DataError: No run finished.
    """
    from phase2.cluster.local import make_local_plan
    from phase2.config.resolve import resolve

    plans = [make_local_plan(run.run_id, resolve(run.request), options) for run in runs]
    if dry_run:
        print_local_plan(plans, options, as_json=as_json)
        return
    with messages.at_end(f"sweep {name}") as ending:
        codes = _train_all(name, plans, options, as_json=as_json)
        ending.message = partial(_message, name, codes, options)
    if as_json:
        print_json({"sweep": name, "runs": [{"run": run, "exit_code": code} for run, code in codes.items()]})
    elif not all(codes.values()):
        print_result(list(codes), options.store)
    raise typer.Exit(next((code for code in codes.values() if code), 0))


def _train_all(name: str, plans: Sequence[LocalPlan], options: ClusterOptions, *, as_json: bool) -> dict[str, int]:
    """Train runs one after another, and return their exit codes."""
    (note if as_json else echo)(f"sweep: {name}, {len(plans)} runs, one after another")
    codes: dict[str, int] = {}
    for plan in plans:
        note(f"run: {plan.run_id}")
        _, process = execute(plan, options, quiet=as_json)
        if process.was_stopped:
            raise typer.Exit(process.code or 128 + signal.SIGTERM)
        codes[plan.run_id] = process.code
        if process.code:
            note(f"{plan.run_id} failed with exit code {process.code}: it is missing from the comparison")
    return codes


def _message(name: str, codes: Mapping[str, int], options: ClusterOptions) -> Message:
    from phase2.notification.message import ranking
    from phase2.runs.catalog.ranking import finished_rows, ranked

    done = [run_id for run_id, code in codes.items() if not code]
    rows = ranked(finished_rows(open_command_store(options.store), done)) if done else []
    return ranking(f"sweep {name}", rows, failed=[run_id for run_id, code in codes.items() if code])
