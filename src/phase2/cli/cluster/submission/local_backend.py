"""``phase2 submit --backend local``: a run in a process of this machine."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from phase2.cli.cluster.submission.cpu_time import work_here
from phase2.cli.console import echo, echo_text, note
from phase2.cli.store import open_command_store, print_json
from phase2.config.request.options import flag
from phase2.config.request.run_request import RunRequest
from phase2.config.settings import store_url
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.cluster.local.plan import LocalPlan
    from phase2.cluster.local.process import ProcessExit
    from phase2.cluster.request.options import ClusterOptions
    from phase2.storage.base import Store


def find_local_run(name: str, options: ClusterOptions) -> tuple[str, RunRequest]:
    """Return the id and the request of a run to resume, from the store, the models folder or the path of its folder.

    Raises:
        RequestError: No run matches, several do, or the run did not record its request.
    """
    from phase2.config.request.resume_request import ResumeRequest
    from phase2.runs.resume.find import find_by_name
    from phase2.runs.resume.run_path import in_output_of_run

    output = in_output_of_run(RunRequest(), ResumeRequest(wanted=True, run=name)).output
    found = find_by_name(output, name, store_of(options))
    if found.recorded is None:
        raise RequestError(
            f"What the run '{found.run_id}' trains is not known.",
            why="It ended before it had recorded its request.",
            fix=f"Submit it as it was submitted, with --run-id {found.run_id}.",
        )
    return found.run_id, replace(RunRequest.from_command(found.recorded.command), output=output)


def train_locally(
    run_id: str,
    request: RunRequest,
    options: ClusterOptions,
    *,
    resumed: str | None = None,
    accepted: tuple[str, ...] = (),
    dry_run: bool = False,
    as_json: bool = False,
) -> None:
    """Train a run in a process of this machine, and exit with its exit code.

    Args:
        run_id: Run id; a finished run is not trained again, and one with other settings is refused.
        request: The request.
        options: Cluster options; those for CPU, store and checkpoints are honoured.
        resumed: What named the run, if it is resumed.
        accepted: Changes since the last checkpoint that a resumed run accepts.
        dry_run: Print what would run, and stop.
        as_json: Print JSON; the output of the run goes to standard error.

    Raises:
        RequestError: The id belongs to another request, or an option is invalid.
    """
    from phase2.cluster.local.plan import make_local_plan
    from phase2.config.resolve import resolve

    plan = make_local_plan(run_id, resolve(request), options, accepted=accepted)
    if dry_run:
        print_local_plan([plan], options, as_json=as_json)
        return
    (note if as_json else echo)(f"run: {run_id}")
    outcome, process = execute(plan, options, quiet=as_json)
    if process.was_stopped and process.code:
        again = shlex.join(["phase2", "submit", "--resume", resumed or run_id, "--backend", "local"])
        note(f"{run_id} was stopped; to continue it: {again}")
    if as_json:
        print_json({"run": run_id, "kind": "process", "outcome": outcome, "exit_code": process.code})
    elif outcome == "already succeeded":
        echo(f"{outcome}: see it with 'phase2 runs show {run_id}'")
    raise typer.Exit(process.code)


def execute(plan: LocalPlan, options: ClusterOptions, *, quiet: bool) -> tuple[str, ProcessExit]:
    """Run a plan unless its run is finished.

    Args:
        plan: The plan.
        options: Cluster options, which may name the store.
        quiet: Send the output of the run to standard error.

    Returns:
        The outcome, and how the process ended.

    Raises:
        RequestError: The id belongs to another request.
    """
    from phase2.cluster.local.process import ProcessExit, run_locally

    if is_finished_run(plan, options):
        return "already succeeded", ProcessExit(0)
    if plan.unused:
        note_unused(plan)
    process = run_locally(plan, stdout=sys.stderr.fileno() if quiet else None)
    return ("succeeded" if process.code == 0 else "failed"), process


def note_unused(plan: LocalPlan) -> None:
    """Print which of the options that were given have no effect."""
    note(f"note: {', '.join(map(flag, plan.unused))} have no effect with --backend local")


def is_finished_run(plan: LocalPlan, options: ClusterOptions) -> bool:
    """Whether the run of a plan is finished, here or in the store.

    Raises:
        RequestError: The id belongs to a run of other settings.
    """
    from phase2.cluster.submit import run_id_taken
    from phase2.config.request.resume_request import ResumeRequest
    from phase2.runs.layout import RunDirectory
    from phase2.runs.resume.find import find_by_id, finished_in_store, is_finished
    from phase2.runs.resume.reconcile import reconcile_settings

    store, output = store_of(options), plan.resolved.request.output
    existing = find_by_id(output, plan.run_id, store)
    if existing is None:
        return False
    if "--accept-change" not in plan.command:  # the run itself compares the settings then
        try:
            reconcile_settings(plan.resolved, existing.recorded, ResumeRequest())
        except RequestError as error:
            why = f"{existing.prefix} was started with other settings: {error.why}"
            raise run_id_taken(plan.run_id, why) from error
    if store is None:
        return is_finished(RunDirectory(output / existing.prefix))
    return finished_in_store(existing, store) is not None


def store_of(options: ClusterOptions) -> Store | None:
    """Open the store of the runs; None where they stay in the models folder."""
    return open_command_store(options.store) if options.store or store_url() else None


def print_local_plan(plans: Sequence[LocalPlan], options: ClusterOptions, *, as_json: bool) -> None:
    """Print what would run and what it costs: command lines for a shell, or a JSON object, a list for several plans."""
    from phase2.cluster.estimate.cost import Reservation, cost_of, describe_cost
    from phase2.cluster.request.prices import CORES
    from phase2.cluster.request.resources import GPU_RESOURCE
    from phase2.config.settings import PACKED_VARIABLE
    from phase2.machine.hardware import THREADS_VARIABLE, thread_count

    threads = int(plans[0].environment.get(THREADS_VARIABLE) or thread_count())
    works = work_here([plan.resolved for plan in plans], store=options.store, threads=threads)
    is_packed = PACKED_VARIABLE in plans[0].environment
    reserved = [
        Reservation(resource=GPU_RESOURCE, amount=1, is_shared=is_packed)
        if work.on_gpu
        else Reservation(resource=CORES, amount=work.cores)
        for work in works
    ]
    if as_json:
        facts = [
            {
                "run": plan.run_id,
                "command": list(plan.command),
                "environment": dict(plan.environment),
                "unused": [flag(name) for name in plan.unused],
                "estimated_seconds": work.seconds,
                "cost": cost_of([(work, own)]).facts(),
            }
            for plan, work, own in zip(plans, works, reserved, strict=True)
        ]
        print_json(facts[0] if len(facts) == 1 else facts)
        return
    echo("# in a process of this machine")
    echo(f"# cost: {describe_cost(cost_of(zip(works, reserved, strict=True)))}")
    for plan in plans:
        variables = [f"{name}={shlex.quote(value)}" for name, value in plan.environment.items()]
        echo_text(" ".join([*variables, shlex.join(plan.command)]) + "\n")
