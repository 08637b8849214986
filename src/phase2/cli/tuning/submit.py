"""``phase2 tune submit``: several workers of one study on a cluster, which share it through their store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.cluster.options import ClusterArguments, connected, installation_of, takes_cluster
from phase2.cli.cluster.submission.backends import DEFAULT_BACKEND, check_backend, cluster_backend
from phase2.cli.cluster.submission.local_data import PushOption, data_for_pods
from phase2.cli.cluster.submission.steps import (
    Manifests,
    announce,
    checked_options,
    estimated_work,
    plan_runs,
    print_manifests,
    submission_facts,
    submit_objects,
)
from phase2.cli.cluster.submission.submit import DryRunOption
from phase2.cli.console import echo
from phase2.cli.request_options import takes_request
from phase2.cli.store import JsonOption, print_json
from phase2.cli.tuning.options import (
    HoursOption,
    MinimiseOption,
    NameOption,
    OverOption,
    PrunerOption,
    SpaceOption,
    StudyOptions,
    TrialsOption,
    check_hours,
)
from phase2.config.request.run_request import RunRequest
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.cluster.backends.base import BackendName, RunBackend
    from phase2.cluster.submit import Submission
    from phase2.tuning.definition import StudyDefinition

WORKERS = 4
HERE = "Or search on this machine: 'phase2 tune', without submit."

WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, help="Pods that share the trials; each trains one at a time.")
]
StudyBackendOption = Annotated[
    str,
    typer.Option("--backend", help="job: a Kubernetes Job for each worker; argo: one Argo Workflow."),
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
    backend: StudyBackendOption = DEFAULT_BACKEND,
    push: PushOption = False,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Search settings on a cluster: several workers, each in a pod, that share one study in the store.

    A worker whose pod is lost is replaced, and its trial is continued from the checkpoint in the store. Show the study
    with 'phase2 tune show NAME --store s3://bucket/prefix'.
    """
    from phase2.cluster.manifests.study import StudyPlan, build_study_workflow, build_worker_jobs
    from phase2.config.resolve import resolve

    check_hours(timeout_hours)
    chosen = _backend(backend)
    request, push_data = data_for_pods(request, cluster, push=push, dry_run=dry_run)
    options = StudyOptions(name=name, over=over, space=space, minimise=minimise, pruner=pruner, trials=trials)
    study = options.define(request)
    _refuse_folder(cluster.options.store)
    runs, run_backend = {study.run_id(0): resolve(study.request)}, cluster_backend(chosen)
    given = checked_options(runs, cluster.options, cluster.namespace)
    installation = installation_of(cluster, dry_run=dry_run, here=HERE)
    (run,) = plan_runs(runs, given, installation, backend=run_backend, target=cluster)
    plan = StudyPlan(
        study=study.name,
        run=run,
        space=study.space,
        options=_options(study, timeout_hours),
        trials=study.trials,
        workers=workers,
    )
    built = {plan.name: build_study_workflow(plan)} if chosen == "argo" else build_worker_jobs(plan)
    manifests = {name: installation.common.added_to(manifest) for name, manifest in built.items()}
    works = estimated_work([run])
    if dry_run:
        _print(study.name, manifests, as_json=as_json)
        return
    announce(f"study: {study.name}, {study.trials} trials, {workers} workers", run, works, as_json=as_json)
    push_data()
    _send(study.name, manifests, run_backend, cluster, as_json=as_json)


def _backend(name: str) -> BackendName:
    chosen = check_backend(name)
    if chosen == "local":
        raise RequestError(
            "--backend local cannot be combined with 'phase2 tune submit'.",
            why="'phase2 tune' itself is a worker of this machine.",
            fix="Run 'phase2 tune' with the same options, once for each worker.",
        )
    if chosen in {"jobset", "trainjob"}:
        raise RequestError(
            f"--backend {chosen} cannot be combined with 'phase2 tune submit'.",
            why="Workers of a study train by themselves, on one node each.",
            fix="Drop it, or use --backend argo.",
        )
    return chosen


def _options(study: StudyDefinition, hours: float | None) -> tuple[tuple[str, str], ...]:
    limit = () if hours is None else (("timeout-hours", f"{hours:g}"),)
    return (("minimise", study.minimise), ("pruner", study.pruner), *limit)


def _send(name: str, manifests: Manifests, backend: RunBackend, target: ClusterArguments, *, as_json: bool) -> None:
    """Submit what does not exist yet."""

    def on_done(done: Submission) -> None:
        if not as_json:
            echo(f"{done.outcome}: {done.client.backend.kind} {done.name}")

    submissions = submit_objects(connected(target.context, target.namespace), manifests, backend, on_done=on_done)
    if as_json:
        facts = [submission_facts(worker, done) for worker, done in submissions.items()]
        print_json({"study": name, "submitted": facts})
    else:
        echo(f"follow it: phase2 status; what was found: phase2 tune show {name} --store STORE")


def _print(name: str, manifests: Manifests, *, as_json: bool) -> None:
    if as_json:
        print_json({"study": name, "manifests": list(manifests.values())})
    else:
        print_manifests(manifests)


def _refuse_folder(store: str | None) -> None:
    """Refuse a store that pods do not share; without one they have that of the namespace, or refuse to work."""
    if store is not None and not store.startswith("s3://"):
        raise RequestError(
            f"--store {store} is not shared by pods.",
            why="The workers meet in the store, and a folder of a pod is its own.",
            fix="Name a bucket, s3://bucket/prefix, or drop it for the store of the namespace.",
        )


submit = takes_request(takes_cluster(_submit), hidden=("output",))
