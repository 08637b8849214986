"""``phase2 submit``: train one run on a cluster, or in a process of this machine as a pod would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from phase2.cli.cluster.options import ClusterArguments, connected, installation_of, takes_cluster, without_cluster
from phase2.cli.cluster.submission.backends import DEFAULT_BACKEND, check_backend, cluster_backend
from phase2.cli.cluster.submission.cpu_time import cost_of_plans
from phase2.cli.cluster.submission.local_data import PushOption, data_for_pods
from phase2.cli.cluster.submission.steps import (
    announce,
    checked_options,
    estimated_work,
    plan_runs,
    submission_facts,
    submit_objects,
)
from phase2.cli.console import echo, note
from phase2.cli.options import AcceptOption
from phase2.cli.request_options import takes_request
from phase2.cli.store import JsonOption, print_json
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.cluster.backends.base import RunBackend
    from phase2.cluster.estimate.cost import Cost
    from phase2.cluster.plan import Plan
    from phase2.cluster.request.installation import Installation
    from phase2.cluster.resume import ResumableRun
    from phase2.cluster.submit import Submission

BackendOption = Annotated[
    str | None,
    typer.Option(
        "--backend",
        help="job: a Kubernetes Job; argo: an Argo Workflow; jobset: a JobSet, for several nodes; trainjob: a "
        "TrainJob of Kubeflow; local: a process of this machine (default: job, or that of the run that is resumed).",
    ),
]
RunIdOption = Annotated[str | None, typer.Option("--run-id", help="Id of the run (default: a new one).")]
ResumeRunOption = Annotated[
    str | None, typer.Option("--resume", metavar="RUN", help="Resume this run, with its own options.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the plan and the YAML, and stop.")]
WatchOption = Annotated[bool, typer.Option("--watch", help="Follow the run to its end, and exit with its exit code.")]


def _submit(  # noqa: PLR0913 - the options of one command
    request: RunRequest,
    cluster: ClusterArguments,
    *,
    backend: BackendOption = None,
    run_id: RunIdOption = None,
    resume: ResumeRunOption = None,
    accept_change: AcceptOption = None,
    push: PushOption = False,
    dry_run: DryRunOption = False,
    watch: WatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a run on a cluster, or in a local process: the same request and the same numbers as 'phase2 train'."""
    from phase2.config.request.resume_request import ResumeRequest
    from phase2.runs.layout import new_run_id

    chosen = None if backend is None else check_backend(backend)
    accepted = ResumeRequest(accepted=tuple(accept_change or ())).accepted
    if resume is not None:
        _refuse_own_options(resume, run_id, request)
    request, push_data = data_for_pods(request, cluster, push=push, dry_run=dry_run, backend=chosen)
    if chosen == "local":
        from phase2.cli.cluster.submission.local_backend import find_local_run, train_locally

        name, request = (run_id or new_run_id(), request) if resume is None else find_local_run(resume, cluster.options)
        train_locally(
            name, request, cluster.options, resumed=resume, accepted=accepted, dry_run=dry_run, as_json=as_json
        )
        return
    run = _new(run_id or new_run_id(), request) if resume is None else _find(resume, cluster)
    run_backend = cluster_backend(chosen or run.backend or DEFAULT_BACKEND)
    plan, installation = _plan(run, cluster, run_backend, accepted, dry_run=dry_run)
    works = estimated_work([plan])
    cost = cost_of_plans([plan], works, installation.prices)
    manifest = installation.common.added_to(run_backend.build(plan))
    if dry_run:
        from phase2.cli.cluster.submission.plan import print_plan

        print_plan(plan, run_backend, manifest, works[0], cost, as_json=as_json)
    else:
        announce(f"run: {plan.run_id}", plan, works, cost, as_json=as_json)
        push_data()
        _send(plan.run_id, manifest, run_backend, cluster, cost, watch=watch, as_json=as_json)


def _new(run_id: str, request: RunRequest) -> ResumableRun:
    from phase2.cluster.resume import ResumableRun

    return ResumableRun(run_id, request)


def _refuse_own_options(name: str, run_id: str | None, request: RunRequest) -> None:
    if run_id is not None or request != RunRequest():
        raise RequestError(
            f"--resume {name} comes with the run's own id and options.",
            why="With other options it would be another run.",
            fix="Drop the options that describe the run.",
        )


def _find(name: str, cluster: ClusterArguments) -> ResumableRun:
    """Find a run to resume: in the cluster if it is still listed there, or else in its store."""
    from phase2.cli.store import open_existing_store
    from phase2.cluster.resume import from_cluster, from_store

    with without_cluster():
        runs = connected(cluster.context, cluster.namespace).runs()
    return from_cluster(runs, name) or from_store(open_existing_store(cluster.options.store), name)


def _plan(
    run: ResumableRun,
    cluster: ClusterArguments,
    backend: RunBackend,
    accepted: tuple[str, ...],
    *,
    dry_run: bool,
) -> tuple[Plan, Installation]:
    """Return the plan of a run, and the installation that it is for."""
    from phase2.config.resolve import resolve

    runs = {run.run_id: resolve(run.request)}
    given = checked_options(runs, cluster.options.merged_onto(run.options), cluster.namespace)
    installation = installation_of(cluster, dry_run=dry_run)
    (plan,) = plan_runs(runs, given, installation, backend=backend, target=cluster, accepted=accepted)
    return plan, installation


def _send(
    run_id: str,
    manifest: dict[str, Any],
    backend: RunBackend,
    target: ClusterArguments,
    cost: Cost,
    *,
    watch: bool,
    as_json: bool,
) -> None:
    cluster = connected(target.context, target.namespace)
    submission = submit_objects(cluster, {run_id: manifest}, backend)[run_id]
    if not submission.same_plan:
        note("note: it has other resources or settings than requested here; 'phase2 cancel' it first to change them")
    if watch:
        from phase2.cli.cluster.watch import watch_run

        watch_run(submission.client, submission.name, as_json=as_json)
    elif as_json:
        print_json({**submission_facts(run_id, submission), "cost": cost.facts()})
    else:
        echo(_outcome(run_id, submission))


def _outcome(run_id: str, submission: Submission) -> str:
    kind, namespace = submission.client.backend.kind, submission.client.namespace
    where = f"{submission.outcome}: {kind} {submission.name} in the namespace {namespace}"
    if submission.outcome == "already succeeded":
        return f"{where}\ndownload it: phase2 pull {run_id}"
    return f"{where}\nfollow it: phase2 status {run_id}, phase2 logs {run_id} --follow"


submit = takes_request(takes_cluster(_submit), hidden=("output",))
