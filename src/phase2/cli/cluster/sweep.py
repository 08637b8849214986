"""``phase2 sweep``: every combination of listed values, on a cluster or here, and which of the runs is best."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phase2.cli.cluster.backends import (
    DEFAULT_BACKEND,
    check_backend,
    cluster_backend,
    memory_warnings,
    submission_facts,
    tag_warning,
    with_environment,
)
from phase2.cli.cluster.options import ClusterArguments, connected, takes_cluster
from phase2.cli.cluster.submit import DryRunOption, WatchOption
from phase2.cli.cluster.sweep_options import takes_sweep
from phase2.cli.console import note
from phase2.cli.store import JsonOption, print_json
from phase2.config.settings import store_url
from phase2.config.sweep import SweepRequest, SweepRun
from phase2.errors import Phase2Error, RequestError

if TYPE_CHECKING:
    from phase2.cluster.backend import Carrier
    from phase2.cluster.namespace import Cluster
    from phase2.cluster.run_state import RunState
    from phase2.cluster.submit import Submission

NameOption = Annotated[
    str | None, typer.Option("--name", help="Name of the sweep; its runs are NAME-0, NAME-1, ... (default: a new one).")
]
SweepBackendOption = Annotated[
    str,
    typer.Option(
        "--backend",
        help="job: a Kubernetes Job for each run; argo: one Argo Workflow, which trains four at a time and compares; "
        "local: processes here, one after another.",
    ),
]
Manifest = dict[str, Any]


def _sweep(
    request: SweepRequest,
    cluster: ClusterArguments,
    *,
    name: NameOption = None,
    backend: SweepBackendOption = DEFAULT_BACKEND,
    dry_run: DryRunOption = False,
    watch: WatchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train every combination of the listed values, each a run of its own, and rank them by validation score."""
    from phase2.cluster.manifests.sweep import build_sweep
    from phase2.cluster.plan import make_plan
    from phase2.cluster.request.names import check_label_name
    from phase2.config.resolve import resolve
    from phase2.runs.layout import check_run_id, new_run_id

    chosen = check_backend(backend)
    sweep_name = check_label_name(name or f"sweep-{new_run_id()}", "--name")
    runs = request.runs(sweep_name)
    for run in runs:
        check_run_id(run.run_id)
    if chosen == "local":
        from phase2.cli.cluster.local_sweep import sweep_locally

        sweep_locally(sweep_name, runs, cluster.words, dry_run=dry_run, as_json=as_json)
        return
    carrier = cluster_backend(chosen)
    words = with_environment(carrier, cluster.words)
    asked = words.request(cluster.namespace, context=cluster.context)
    resolved = {run.run_id: resolve(run.request) for run in runs}
    if carrier.backend == "argo":
        manifests = {sweep_name: build_sweep(sweep_name, request, asked)}
    else:
        plans = [make_plan(run_id, one, asked, words=words) for run_id, one in resolved.items()]
        manifests = {plan.run_id: carrier.build(plan) for plan in plans}
    for warning in memory_warnings(list(resolved.values()), asked):
        note(warning)
    if dry_run:
        _print_plan(sweep_name, runs, manifests, as_json=as_json)
        return
    (note if as_json else typer.echo)(f"sweep: {sweep_name}, {_count(runs)}")
    tag_warning(asked)
    place = connected(cluster.context, cluster.namespace)
    _refuse_twice(place, sweep_name, runs, carrier)
    done = _send(place, manifests, carrier)
    if watch:
        _watch(sweep_name, runs, done, cluster, as_json=as_json)
    elif as_json:
        facts = [submission_facts(run_id, one) for run_id, one in done.items()]
        print_json({"sweep": sweep_name, "submitted": facts})
    else:
        for run_id, one in done.items():
            typer.echo(f"{one.outcome}: {one.client.carrier.kind} {one.name}, {run_id}")
        typer.echo(f"follow it: phase2 status; the table in the end: phase2 runs compare {_ids(runs)}")


def _send(place: Cluster, manifests: dict[str, Manifest], carrier: Carrier) -> dict[str, Submission]:
    """Submit what is not there yet; a failure leaves what was submitted, and the same command goes on."""
    from phase2.cluster.submit import submit_run

    client, others = place.client(carrier.backend), place.others(carrier.backend)
    done: dict[str, Submission] = {}
    try:
        for run_id, manifest in manifests.items():
            done[run_id] = submit_run(client, manifest, others)
    except Phase2Error:
        if done:
            note(f"{len(done)} of {len(manifests)} are submitted; the same command with this --name submits the rest")
        raise
    return done


def _refuse_twice(place: Cluster, name: str, runs: Sequence[SweepRun], carrier: Carrier) -> None:
    """Refuse a sweep whose runs another kind of object is at work on."""
    mine = {name, *(run.run_id for run in runs)}
    for found in place.runs():
        if found.carrier != carrier and found.run_id in mine and found.carrier.ending(found.object) is None:
            raise RequestError(
                f"The sweep '{name}' is at work already: {found.run_id}, as a {found.carrier.kind}.",
                why="Two that carry one run would do the same work.",
                fix=f"Give another --name, or stop it first with 'phase2 cancel {found.run_id}'.",
            )


def _watch(
    name: str, runs: Sequence[SweepRun], done: dict[str, Submission], cluster: ClusterArguments, *, as_json: bool
) -> None:
    """Follow a sweep to its end; ends with the first exit code that is none of success."""
    from phase2.cli.cluster.watching import exit_code, state_facts, watch_run
    from phase2.cli.runs.comparison import print_finished

    if name in done:
        watch_run(done[name].client, done[name].name, as_json=as_json)
        return
    states = [_followed(run_id, one) for run_id, one in done.items()]
    if as_json:
        print_json({"sweep": name, "runs": [state_facts(state) for state in states]})
    elif cluster.words.store or store_url():
        print_finished([run.run_id for run in runs], cluster.words.store)
    raise typer.Exit(next((code for code in map(exit_code, states) if code), 0))


def _followed(run_id: str, one: Submission) -> RunState:
    """Wait for the end of one run among others, whose logs would not be told apart."""
    from phase2.cluster.follow import Follower

    def tell(text: str) -> None:
        note(f"{run_id} {text}")

    return Follower(one.client, one.name, on_state=tell, on_line=lambda _: None).follow()


def _print_plan(name: str, runs: Sequence[SweepRun], manifests: dict[str, Manifest], *, as_json: bool) -> None:
    from phase2.cluster.manifests.job import to_yaml

    if as_json:
        members = [{"run": run.run_id, "command": run.request.command()} for run in runs]
        print_json({"sweep": name, "runs": members, "manifests": list(manifests.values())})
        return
    typer.echo(f"# sweep {name}: {_count(runs)}")
    for run in runs:
        typer.echo(f"# {run.run_id}: {shlex.join(run.request.command())}")
    typer.echo("---\n".join(map(to_yaml, manifests.values())), nl=False)


def _count(runs: Sequence[SweepRun]) -> str:
    return f"{len(runs)} run{'' if len(runs) == 1 else 's'}"


def _ids(runs: Sequence[SweepRun]) -> str:
    return " ".join(run.run_id for run in runs)


sweep = takes_sweep(takes_cluster(_sweep))
