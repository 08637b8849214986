"""``phase2 sweep``: a run for every combination of listed values, on a cluster or this machine, and their ranking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer

from phase2.cli.cluster.options import ClusterArguments, connected, installation_of, takes_cluster
from phase2.cli.cluster.submission.backends import DEFAULT_BACKEND, check_backend, cluster_backend
from phase2.cli.cluster.submission.cpu_time import cost_of_plans
from phase2.cli.cluster.submission.local_data import data_for_pods
from phase2.cli.cluster.submission.multirun_options import Execution, takes_execution
from phase2.cli.cluster.submission.steps import (
    announce,
    checked_options,
    estimated_work,
    plan_runs,
    submission_facts,
    submit_objects,
)
from phase2.cli.cluster.submission.sweep_options import takes_sweep
from phase2.cli.cluster.submission.sweep_plan import print_sweep_plan
from phase2.cli.console import echo, note
from phase2.cli.notification import notices
from phase2.cli.runs.comparison import PrintResult, print_finished
from phase2.cli.store import print_json
from phase2.config.multirun.sweep import SweepRequest, SweepRun
from phase2.config.settings import store_url
from phase2.errors import RequestError
from phase2.output.wording import counted

if TYPE_CHECKING:
    from phase2.cluster.backends.base import RunBackend
    from phase2.cluster.namespace import Cluster
    from phase2.cluster.request.options import ClusterOptions
    from phase2.cluster.run_state import RunState
    from phase2.cluster.submit import Submission

    CheckRuns = Callable[[Sequence[SweepRun], ClusterOptions], None]


def _sweep(request: SweepRequest, cluster: ClusterArguments, execution: Execution) -> None:
    """Train a run for every combination of the listed values, and rank the runs by validation score."""
    from phase2.runs.layout import new_run_id

    train_sweep(request, cluster, execution, name=execution.name or f"sweep-{new_run_id()}")


def train_sweep(
    request: SweepRequest,
    cluster: ClusterArguments,
    execution: Execution,
    *,
    name: str,
    print_result: PrintResult = print_finished,
    compare: str = "phase2 runs compare",
    check_here: CheckRuns | None = None,
) -> None:
    """Train the runs of a sweep, here or on a cluster, and print what they are together.

    Args:
        request: The sweep.
        cluster: Cluster options.
        execution: How its runs are executed.
        name: Its name, which its runs have before their number.
        print_result: Prints what the finished runs are together.
        compare: Command that does so later.
        check_here: Refuses runs that this machine is about to train, before the first.
    """
    from phase2.cluster.manifests.packed_sweep import build_packed_sweep
    from phase2.cluster.manifests.sweep import build_sweep
    from phase2.cluster.request.names import check_label_name
    from phase2.config.resolve import resolve

    dry_run, as_json = execution.dry_run, execution.as_json
    chosen = check_backend(execution.backend)
    request, push_data = data_for_pods(request, cluster, push=execution.push, dry_run=dry_run, backend=chosen)
    sweep_name = check_label_name(name, "--name")
    runs = request.runs(sweep_name)
    if chosen == "local":
        from phase2.cli.cluster.submission.local_sweep import sweep_locally

        messages = notices(execution.notify, execution.notify_on)
        if check_here is not None and not dry_run:
            check_here(runs, cluster.options)
        sweep_locally(
            sweep_name, runs, cluster.options, pack=execution.pack, messages=messages, dry_run=dry_run, as_json=as_json,
            print_result=print_result,
        )  # fmt: skip
        return
    _refuse_on_cluster(execution, chosen)
    resolved = {run.run_id: resolve(run.request) for run in runs}
    given = checked_options(resolved, cluster.options, cluster.namespace)
    run_backend = cluster_backend(chosen)
    installation = installation_of(cluster, dry_run=dry_run)
    plans = plan_runs(resolved, given, installation, backend=run_backend, target=cluster)
    packed = min(execution.pack, len(runs))
    if packed > 1:
        manifests = {sweep_name: build_packed_sweep(sweep_name, request, plans, packed)}
    elif run_backend.name == "argo":
        manifests = {sweep_name: build_sweep(sweep_name, request, plans[0].cluster, given)}
    else:
        manifests = {plan.run_id: run_backend.build(plan) for plan in plans}
    manifests = {run_id: installation.common.added_to(manifest) for run_id, manifest in manifests.items()}
    works = estimated_work(plans, at_once=packed)
    cost = cost_of_plans(plans, works, installation.prices, is_shared=packed > 1)
    if dry_run:
        print_sweep_plan(sweep_name, list(zip(runs, works, strict=True)), cost, manifests, as_json=as_json)
        return
    announce(f"sweep: {sweep_name}, {counted(len(runs), 'run')}", plans[0], works, cost, as_json=as_json)
    namespace = connected(cluster.context, cluster.namespace)
    _refuse_other_backend(namespace, sweep_name, runs, run_backend)
    push_data()
    submissions = submit_objects(namespace, manifests, run_backend)
    if execution.watch:
        _watch(sweep_name, runs, submissions, cluster, as_json=as_json, print_result=print_result)
    elif as_json:
        facts = [submission_facts(run_id, submission) for run_id, submission in submissions.items()]
        print_json({"sweep": sweep_name, "submitted": facts, "cost": cost.facts()})
    else:
        for run_id, done in submissions.items():
            echo(f"{done.outcome}: {done.client.backend.kind} {done.name}, {run_id}")
        echo(f"follow it: phase2 status; compare it at the end: {compare} {_ids(runs)}")


def _refuse_on_cluster(execution: Execution, chosen: str) -> None:
    """Refuse options that pods do not have."""
    from phase2.cluster.manifests.installed import SERVICES_SECRET

    if execution.pack > 1 and chosen != "job":
        raise RequestError(
            f"--pack {execution.pack} cannot be combined with --backend {chosen}.",
            why="Runs are packed into one Job, or into processes of this machine.",
            fix="Use --backend job or --backend local.",
        )
    if execution.notify or execution.notify_on:
        raise RequestError(
            f"--notify cannot be combined with --backend {chosen}.",
            why="The addresses are secrets, and the pods have them of a Secret.",
            fix=f"Put them into the Secret {SERVICES_SECRET} (docs/how-to/notifications.md).",
        )


def _refuse_other_backend(cluster: Cluster, name: str, runs: Sequence[SweepRun], backend: RunBackend) -> None:
    """Refuse a sweep whose runs another backend is executing."""
    ids = {name, *(run.run_id for run in runs)}
    for found in cluster.runs():
        if found.backend != backend and found.run_id in ids and found.backend.outcome(found.object) is None:
            raise RequestError(
                f"The sweep '{name}' is running already: {found.run_id}, as a {found.backend.kind}.",
                why="Two objects that execute one run would do the same work.",
                fix=f"Give another --name, or stop it first with 'phase2 cancel {found.run_id}'.",
            )


def _watch(
    name: str,
    runs: Sequence[SweepRun],
    submissions: dict[str, Submission],
    cluster: ClusterArguments,
    *,
    as_json: bool,
    print_result: PrintResult,
) -> None:
    """Follow a sweep to its end; exits with the first exit code other than 0."""
    from phase2.cli.cluster.watch import exit_code, state_facts, watch_run

    if name in submissions:
        watch_run(submissions[name].client, submissions[name].name, as_json=as_json)
        return
    states = [_follow(run_id, submission) for run_id, submission in submissions.items()]
    if as_json:
        print_json({"sweep": name, "runs": [state_facts(state) for state in states]})
    elif cluster.options.store or store_url():
        print_result([run.run_id for run in runs], cluster.options.store)
    raise typer.Exit(next((code for code in map(exit_code, states) if code), 0))


def _follow(run_id: str, submission: Submission) -> RunState:
    """Follow one of several runs to its end, without the logs, which could not be told apart."""
    from phase2.cluster.follow import Follower

    def on_state(message: str) -> None:
        note(f"{run_id} {message}")

    return Follower(submission.client, submission.name, on_state=on_state, on_line=lambda _: None).follow()


def _ids(runs: Sequence[SweepRun]) -> str:
    return " ".join(run.run_id for run in runs)


sweep = takes_sweep(takes_cluster(takes_execution(_sweep, backend=DEFAULT_BACKEND)))
