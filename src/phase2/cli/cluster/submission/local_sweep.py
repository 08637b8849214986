"""``phase2 sweep --backend local``: the runs of a sweep on this machine, one after another or several at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import typer

from phase2.cli.cluster.submission.local_backend import execute, is_finished_run, note_unused, print_local_plan
from phase2.cli.console import echo, note
from phase2.cli.notification import Notices
from phase2.cli.runs.comparison import PrintResult, print_finished
from phase2.cli.store import open_command_store, print_json
from phase2.errors import PreemptedError, TransientError
from phase2.machine.hardware import THREADS_VARIABLE

if TYPE_CHECKING:
    from phase2.cluster.local.plan import LocalPlan
    from phase2.cluster.local.process import ProcessExit
    from phase2.cluster.request.options import ClusterOptions
    from phase2.config.multirun.sweep import SweepRun
    from phase2.notification.message import Message


def sweep_locally(
    name: str,
    runs: Sequence[SweepRun],
    options: ClusterOptions,
    *,
    pack: int,
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
        pack: Runs that train at once; each has its part of the threads.
        messages: To whom a message of its end goes.
        dry_run: Print what would run, and stop.
        as_json: Print JSON; the output of the runs goes to standard error.
        print_result: Prints what the finished runs are together.

    Raises:
        RequestError: An id belongs to another request, or an option is invalid.
        DataError: No run finished.
    """
    from phase2.cluster.local.plan import make_local_plan
    from phase2.config.resolve import resolve

    at_once = min(pack, len(runs))
    plans = [make_local_plan(run.run_id, resolve(run.request), options, packed=at_once) for run in runs]
    if dry_run:
        print_local_plan(plans, options, as_json=as_json)
        return
    with messages.at_end(f"sweep {name}") as ending:
        codes = _train_all(name, plans, options, at_once=at_once, as_json=as_json)
        ending.message = partial(_message, name, codes, options)
    if as_json:
        print_json({"sweep": name, "runs": [{"run": run, "exit_code": code} for run, code in codes.items()]})
    elif not all(codes.values()):
        print_result(list(codes), options.store)
    raise typer.Exit(_exit_code(list(codes.values())))


def _exit_code(codes: Sequence[int]) -> int:
    """Return the first exit code other than 0, and before all the one of a failure that another try may cure."""
    return next((code for code in codes if code == TransientError.exit_code), next(filter(None, codes), 0))


def _train_all(
    name: str, plans: Sequence[LocalPlan], options: ClusterOptions, *, at_once: int, as_json: bool
) -> dict[str, int]:
    """Train runs and return their exit codes, in the order of the runs; exits where a signal stops them."""
    how = "one after another" if at_once == 1 else f"{at_once} at once, {_threads(plans[0])} each"
    (note if as_json else echo)(f"sweep: {name}, {len(plans)} runs, {how}")
    codes: dict[str, int] = {}

    def on_end(plan: LocalPlan, process: ProcessExit) -> None:
        codes[plan.run_id] = process.code
        if process.code and not process.was_stopped:
            note(f"{plan.run_id} failed with exit code {process.code}: it is missing from the comparison")

    if at_once > 1:
        if _train_packed(plans, options, at_once, codes, on_end=on_end, as_json=as_json):
            raise _stopped(name)
        return {plan.run_id: codes[plan.run_id] for plan in plans}
    for plan in plans:
        note(f"run: {plan.run_id}")
        _, process = execute(plan, options, quiet=as_json)
        if process.was_stopped:
            raise _stopped(name, process.code)
        on_end(plan, process)
    return codes


def _train_packed(
    plans: Sequence[LocalPlan],
    options: ClusterOptions,
    at_once: int,
    codes: dict[str, int],
    *,
    on_end: Callable[[LocalPlan, ProcessExit], None],
    as_json: bool,
) -> bool:
    """Train the runs that are not finished, several at once; returns whether a signal stopped them."""
    from phase2.cluster.local.process import run_packed

    finished = [plan for plan in plans if is_finished_run(plan, options)]
    codes |= {plan.run_id: 0 for plan in finished}
    rest = [plan for plan in plans if plan.run_id not in codes]
    if plans[0].unused:
        note_unused(plans[0])
    return run_packed(rest, at_once, on_output=note if as_json else echo, on_note=note, on_end=on_end)


def _stopped(name: str, code: int = 0) -> typer.Exit:
    note(f"{name} was stopped; to continue it, run the same command with --name {name}")
    return typer.Exit(code or PreemptedError.exit_code)


def _threads(plan: LocalPlan) -> str:
    threads = plan.environment[THREADS_VARIABLE]
    return f"{threads} thread{'' if threads == '1' else 's'}"


def _message(name: str, codes: Mapping[str, int], options: ClusterOptions) -> Message:
    from phase2.notification.message import ranking
    from phase2.runs.catalog.ranking import finished_rows, ranked

    done = [run_id for run_id, code in codes.items() if not code]
    rows = ranked(finished_rows(open_command_store(options.store), done)) if done else []
    return ranking(f"sweep {name}", rows, failed=[run_id for run_id, code in codes.items() if code])
