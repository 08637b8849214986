"""``phase2 tune submit``: several workers of one study as Kubernetes Jobs, which share it through their store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ClusterArguments, connected, installation_of, takes_cluster
from phase2.cli.cluster.submission.backends import (
    check_run,
    cluster_backend,
    memory_warnings,
    plan_of,
    submission_facts,
    tag_warning,
    with_environment,
)
from phase2.cli.cluster.submission.cpu_time import accepted_work, note_time
from phase2.cli.cluster.submission.submit import DryRunOption
from phase2.cli.console import note
from phase2.cli.options import takes_request
from phase2.cli.store import JsonOption, print_json
from phase2.cli.tuning.options import (
    HoursOption,
    MinimiseOption,
    NameOption,
    OverOption,
    PrunerOption,
    SpaceOption,
    TrialsOption,
    check_hours,
    define_study,
)
from phase2.config.request import RunRequest
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.cluster.plan import Plan
    from phase2.tuning.definition import StudyDefinition

WORKERS = 4

WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, help="Pods that share the trials; each trains one at a time.")
]


def _submit(  # noqa: PLR0913 - the options of one command
    request: RunRequest,
    cluster: ClusterArguments,
    *,
    over: OverOption = None,
    space: SpaceOption = None,
    trials: TrialsOption = None,
    name: NameOption = None,
    minimise: MinimiseOption = None,
    pruner: PrunerOption = None,
    timeout_hours: HoursOption = None,
    workers: WorkersOption = WORKERS,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search settings on a cluster: a Kubernetes Job for each worker, sharing one study in the store of the namespace.

    A worker whose pod is lost is replaced, and its trial is continued from the checkpoint in the store. Show the study
    with 'phase2 tune show NAME --store s3://bucket/prefix'.
    """
    from phase2.config.resolve import resolve

    check_hours(timeout_hours)
    study = define_study(
        None, name, request, over=over or [], space=space, minimise=minimise, pruner=pruner, trials=trials
    )
    count = trials or study.trials
    _refuse_idle_workers(workers, count)
    _refuse_folder(cluster.options.store)
    given, resolved = with_environment(cluster.options), resolve(study.request)
    check_run(f"{study.name}-0", resolved, given, cluster.namespace)
    backend = cluster_backend("job")
    installation = installation_of(cluster, dry_run=dry_run)
    plan = plan_of(f"{study.name}-0", resolved, given, installation, backend=backend, target=cluster)
    for warning in memory_warnings([plan.resolved], plan.cluster):
        note(warning)
    works = accepted_work([(plan.resolved, plan.cluster)], limit_hours=plan.options.max_hours)
    plans = _plans(study, plan, trials=count, workers=workers, hours=timeout_hours)
    if dry_run:
        _print(study, plans, as_json=as_json)
        return
    note_time(works)
    (note if as_json else typer.echo)(f"study: {study.name}, {count} trials, {workers} workers")
    tag_warning(plan.cluster)
    _send(study, plans, cluster, as_json=as_json)


def _plans(study: StudyDefinition, plan: Plan, *, trials: int, workers: int, hours: float | None) -> list[Plan]:
    from phase2.cluster.manifests.study import worker_plans
    from phase2.config.settings import CHECKPOINT_MINUTES

    if plan.cluster.checkpoint_minutes != CHECKPOINT_MINUTES:
        raise RequestError(
            "--checkpoint-minutes cannot be combined with a study.",
            why="Its trials are saved as often as any run by default.",
            fix="Drop it.",
        )
    limit = [] if hours is None else ["--timeout-hours", f"{hours:g}"]
    words = study.words(trials=trials)
    return worker_plans(
        study.name,
        plan,
        ["phase2", "tune", *words, *limit, "--worker", "--best", "/tmp/best.yaml"],  # noqa: S108 - a volume of the pod
        trials=trials,
        workers=workers,
        submit=["phase2", "tune", "submit", *words, *limit, "--workers", str(workers)],
    )


def _send(study: StudyDefinition, plans: list[Plan], target: ClusterArguments, *, as_json: bool) -> None:
    """Submit the workers that do not exist yet."""
    from phase2.cluster.submit import submit_run

    cluster = connected(target.context, target.namespace)
    client = cluster.client("job")
    facts = []
    for plan in plans:
        done = submit_run(client, client.backend.build(plan), cluster.other_clients("job"))
        facts.append(submission_facts(plan.run_id, done))
        if not as_json:
            typer.echo(f"{done.outcome}: {done.client.backend.kind} {done.name}")
    if as_json:
        print_json({"study": study.name, "submitted": facts})
    else:
        typer.echo(f"follow it: phase2 status; what was found: phase2 tune show {study.name} --store STORE")


def _print(study: StudyDefinition, plans: list[Plan], *, as_json: bool) -> None:
    from phase2.cluster.manifests.job import build_job, to_yaml

    manifests = [build_job(plan) for plan in plans]
    if as_json:
        print_json({"study": study.name, "manifests": manifests})
    else:
        typer.echo("---\n".join(map(to_yaml, manifests)), nl=False)


def _refuse_idle_workers(workers: int, trials: int) -> None:
    from phase2.cluster.manifests.study import MAX_WORKERS

    if workers > trials:
        raise RequestError(
            f"--workers {workers} are more than the {trials} trials.",
            why="A worker trains one trial at a time.",
            fix="Ask for more --trials, or fewer --workers.",
        )
    if workers > MAX_WORKERS:
        raise RequestError(f"--workers {workers} are too many.", fix=f"Ask for {MAX_WORKERS} or fewer.")


def _refuse_folder(store: str | None) -> None:
    """Refuse a store that pods do not share; without one they have that of the namespace, or refuse to work."""
    if store is not None and not store.startswith("s3://"):
        raise RequestError(
            f"--store {store} is not shared by pods.",
            why="The workers meet in the store, and a folder of a pod is its own.",
            fix="Name a bucket, s3://bucket/prefix, or drop it for the store of the namespace.",
        )


submit = takes_request(takes_cluster(_submit), hidden=("output",))
