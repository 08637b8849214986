"""``phase2 submit``: train one run on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from phase2.cli.cluster_options import AskedOfCluster, connected, takes_cluster
from phase2.cli.console import note
from phase2.cli.options import AcceptOption, takes_request
from phase2.cli.store import JsonOption, print_json
from phase2.cluster.cluster_words import ClusterWords
from phase2.config.request import RunRequest
from phase2.config.settings import image_reference
from phase2.errors import RequestError, UnknownNameError

if TYPE_CHECKING:
    from phase2.cluster.plan import Plan
    from phase2.cluster.resumption import BegunRun
    from phase2.cluster.submission import Submission

Backend = Literal["job"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)

BackendOption = Annotated[str, typer.Option("--backend", help=f"{' or '.join(BACKENDS)}: a Kubernetes Job.")]
RunIdOption = Annotated[str | None, typer.Option("--run-id", help="Id of the run (default: a new one).")]
ResumeRunOption = Annotated[
    str | None, typer.Option("--resume", metavar="RUN", help="Go on with this run, with its own options.")
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the plan and the YAML, and stop.")]
WatchOption = Annotated[bool, typer.Option("--watch", help="Follow the run to its end, and end with its exit code.")]


def _submit(  # noqa: PLR0913 - the options of one command
    request: RunRequest,
    cluster: AskedOfCluster,
    *,
    backend: BackendOption = "job",
    run_id: RunIdOption = None,
    resume: ResumeRunOption = None,
    accept_change: AcceptOption = None,
    dry_run: DryRunOption = False,
    watch: WatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train a run on a cluster: the same request and the same numbers as 'phase2 train', in a pod."""
    from phase2.cluster.plan import make_plan
    from phase2.cluster.resumption import BegunRun
    from phase2.config.resolve import resolve
    from phase2.config.resumption import Resumption
    from phase2.runs.layout import new_run_id

    if backend not in BACKENDS:
        raise UnknownNameError.of("backend", backend, BACKENDS)
    accepted = Resumption(accepted=tuple(accept_change or ())).accepted
    begun = BegunRun(run_id or new_run_id(), request) if resume is None else _begun(resume, run_id, request, cluster)
    words = cluster.words.over(begun.words).over(ClusterWords(image=image_reference()))
    plan = make_plan(
        begun.run_id,
        resolve(begun.request),
        words.request(cluster.namespace, context=cluster.context),
        accepted=accepted,
        words=words,
    )
    _say_of_memory(plan)
    if dry_run:
        from phase2.cli.plan import print_plan

        print_plan(plan, as_json=as_json)
    else:
        _send(plan, watch=watch, as_json=as_json)


def _say_of_memory(plan: Plan) -> None:
    """Warn of a memory limit that may be too low, or refuse one that is: a pod would find out minutes later."""
    from phase2.runs.memory import check_memory, needed_memory

    if plan.cluster.gpus:  # what a run needs beside one was not measured
        return
    needed = needed_memory(plan.resolved.config, workers=plan.cluster.threads)
    if warning := check_memory(needed, int(plan.cluster.memory.value)):
        note(warning)


def _begun(name: str, run_id: str | None, request: RunRequest, cluster: AskedOfCluster) -> BegunRun:
    """A run to go on with: from its Job where that is still listed, or else from its store."""
    from phase2.cli.store import opened
    from phase2.cluster.resumption import from_job, from_store

    if run_id is not None or request != RunRequest():
        raise RequestError(
            f"--resume {name} comes with the run's own id and options.",
            why="With others it would be another run.",
            fix="Drop the options that describe the run.",
        )
    jobs = connected(cluster.context, cluster.namespace).jobs()
    return from_job(jobs, name) or from_store(opened(cluster.words.store), name)


def _send(plan: Plan, *, watch: bool, as_json: bool) -> None:
    from phase2.cluster.job import build_job
    from phase2.cluster.submission import submit_job

    cluster = plan.cluster
    # First of all: whatever happens next, the same command with this id does not train twice.
    (note if as_json else typer.echo)(f"run: {plan.run_id}")
    if cluster.image.digest is None:
        note(f"note: {cluster.image} is a tag, which may change: name it by its digest to have the image recorded")
    client = connected(cluster.context, cluster.namespace)
    done = submit_job(client, build_job(plan))
    if not done.same_plan:
        note("note: it has other resources or settings than asked for here; 'phase2 cancel' it first to change them")
    if watch:
        from phase2.cli.watching import watch_run

        watch_run(client, plan.name, as_json=as_json)
    elif as_json:
        print_json({"run": plan.run_id, "job": plan.name, "namespace": cluster.namespace, "outcome": done.outcome})
    else:
        typer.echo(_outcome(plan, done))


def _outcome(plan: Plan, done: Submission) -> str:
    where = f"{done.outcome}: Job {plan.name} in the namespace {plan.cluster.namespace}"
    if done.outcome == "already succeeded":
        return f"{where}\nbring it here: phase2 pull {plan.run_id}"
    return f"{where}\nfollow it: phase2 status {plan.run_id}, phase2 logs {plan.run_id} --follow"


submit = takes_request(takes_cluster(_submit), hidden=("output",))
