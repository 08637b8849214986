"""The steps of every submission: check the runs, plan them, estimate their work, and submit their objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from phase2.cli.cluster.options import ClusterArguments
from phase2.cli.cluster.submission.cpu_time import accepted_work, note_time
from phase2.cli.console import echo, echo_text, note
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.resources import NO_CACHE
from phase2.config.settings import image_reference
from phase2.errors import Phase2Error, RequestError

if TYPE_CHECKING:
    from phase2.cluster.backends.base import RunBackend
    from phase2.cluster.estimate.cost import Cost
    from phase2.cluster.estimate.work import Estimate
    from phase2.cluster.namespace import Cluster
    from phase2.cluster.plan import Plan
    from phase2.cluster.request.installation import Installation
    from phase2.cluster.request.resources import ClusterRequest
    from phase2.cluster.submit import Submission
    from phase2.config.resolve import ResolvedRun

Manifests = Mapping[str, dict[str, Any]]
"""Objects to create, by the id of the run or the worker that each executes."""


def checked_options(runs: Mapping[str, ResolvedRun], options: ClusterOptions, namespace: str) -> ClusterOptions:
    """Check what was given for runs, before a cluster is asked what else they get.

    Args:
        runs: The runs, by id.
        options: Options of the cluster that were given.
        namespace: Namespace of the runs.

    Returns:
        The options, with the image of the environment where none was given.

    Raises:
        RequestError: A run id or an option is invalid, or the pod could not read the data.
        UnknownNameError: There is no data set of this name.
    """
    from phase2.cluster.plan import CACHE_CLAIM, make_plan

    given = options.merged_onto(ClusterOptions(image=image_reference()))
    likely = ClusterOptions(image="phase2", cache=CACHE_CLAIM)
    for run_id, run in runs.items():
        make_plan(run_id, run, given.merged_onto(likely).request(namespace))
    return given


def plan_runs(
    runs: Mapping[str, ResolvedRun],
    given: ClusterOptions,
    installation: Installation,
    *,
    backend: RunBackend,
    target: ClusterArguments,
    accepted: tuple[str, ...] = (),
) -> list[Plan]:
    """Make the plans of runs, with what the installation gives to runs of their kind.

    Args:
        runs: The runs, by id.
        given: Options of the cluster that were given.
        installation: What the installation gives.
        backend: Backend that is to execute the runs.
        target: Namespace and context.
        accepted: Changes since the last checkpoint that a resumed run accepts.

    Raises:
        RequestError: An option is invalid, or the backend does not go with it.
    """
    return [
        _plan(run_id, run, given, installation, backend=backend, target=target, accepted=accepted)
        for run_id, run in runs.items()
    ]


def _plan(
    run_id: str,
    run: ResolvedRun,
    given: ClusterOptions,
    installation: Installation,
    *,
    backend: RunBackend,
    target: ClusterArguments,
    accepted: tuple[str, ...],
) -> Plan:
    from phase2.cluster.plan import make_plan

    options = _with_installation(backend, given, installation, run)
    limits = installation.defaults.limits(run.config.algorithm, run.config.mode)
    request = limits.check(options.request(target.namespace, context=target.context))
    return make_plan(run_id, run, request, accepted=accepted, options=options, given=given)


def _with_installation(
    backend: RunBackend, given: ClusterOptions, installation: Installation, run: ResolvedRun
) -> ClusterOptions:
    """Complete options with those that the installation has for a run, as far as the backend has a place for them.

    Every Workflow has the data cache.

    Raises:
        RequestError: A Workflow is requested without the data cache.
    """
    from phase2.cluster.manifests.trainjob import without_fixed
    from phase2.cluster.plan import CACHE_CLAIM

    installed = installation.options(run.config.algorithm, run.config.mode)
    complete = given.merged_onto(without_fixed(installed) if backend.name == "trainjob" else installed)
    if backend.name != "argo":
        return complete
    if given.cache == NO_CACHE:
        raise RequestError(
            f"--cache {NO_CACHE} cannot be combined with --backend argo.",
            why=f"The training of every Workflow has the claim {CACHE_CLAIM}.",
            fix="Drop it, or use --backend job.",
        )
    return replace(complete, cache=complete.cache or CACHE_CLAIM)


def estimated_work(plans: Sequence[Plan], *, at_once: int = 1) -> list[Estimate]:
    """Estimate the work of plans; print warnings about their memory.

    Args:
        plans: The plans.
        at_once: Runs that share the memory of a pod.

    Raises:
        RequestError: A memory limit is too low, or a run without a GPU would take too long.
    """
    for warning in dict.fromkeys(
        one for plan in plans for one in memory_warnings([plan.resolved], plan.cluster, at_once)
    ):
        note(warning)
    pairs = [(plan.resolved, plan.cluster) for plan in plans]
    return accepted_work(pairs, limit_hours=plans[0].options.max_hours)


def memory_warnings(runs: Iterable[ResolvedRun], cluster: ClusterRequest, at_once: int = 1) -> list[str]:
    """Return warnings about a memory limit that may be too low for a run, before a pod is killed for it.

    Args:
        runs: The runs, any of which may be the one.
        cluster: Its resources.
        at_once: Runs that share the memory.

    Raises:
        RequestError: The limit is too low.
    """
    from phase2.machine.memory import check_memory, needed_memory

    if cluster.gpus:  # the memory of a run on a GPU was not measured
        return []
    needs = {needed_memory(run.config, workers=cluster.threads) for run in runs}
    warning = check_memory(at_once * max(needs), int(cluster.memory.value))
    return [warning] if warning else []


def announce(what: str, plan: Plan, works: Iterable[Estimate] = (), cost: Cost | None = None, *, as_json: bool) -> None:
    """Print what is about to be submitted, on standard error where JSON follows.

    Printed first: whatever happens next, the same command with this id does not train twice.

    Args:
        what: The run, sweep or study, by its id.
        plan: Its plan, or that of one of its runs.
        works: Work of its runs.
        cost: What they cost together.
        as_json: Whether the result is printed as JSON.
    """
    from phase2.cluster.estimate.cost import describe_cost

    note_time(works)
    if cost is not None:
        note(f"note: cost: {describe_cost(cost)}")
    (note if as_json else echo)(what)
    if plan.cluster.image.digest is None:
        note(f"note: {plan.cluster.image} is a tag, which may change: name it by its digest to have the image recorded")


def submit_objects(
    cluster: Cluster,
    manifests: Manifests,
    backend: RunBackend,
    *,
    on_done: Callable[[Submission], None] = lambda _: None,
) -> dict[str, Submission]:
    """Submit what does not exist yet; after a failure the same command submits the rest.

    Args:
        cluster: Namespace to submit to.
        manifests: The objects.
        backend: Their backend.
        on_done: Callback receiving each submission.

    Raises:
        RequestError: Another request has a run id, the server rejects an object, or Argo is not installed.
        TransientError: The server does not answer.
    """
    from phase2.cluster.submit import submit_run

    client, others = cluster.client(backend.name), cluster.other_clients(backend.name)
    done: dict[str, Submission] = {}
    try:
        for run_id, manifest in manifests.items():
            done[run_id] = submit_run(client, manifest, others)
            on_done(done[run_id])
    except Phase2Error:
        if done:
            note(f"{len(done)} of {len(manifests)} are submitted; the same command with this --name submits the rest")
        raise
    return done


def print_manifests(manifests: Manifests) -> None:
    """Print objects as YAML for kubectl."""
    from phase2.cluster.manifests.job import to_yaml

    echo_text("---\n".join(map(to_yaml, manifests.values())))


def submission_facts(run_id: str, submission: Submission) -> dict[str, str]:
    """Return a submission as JSON."""
    kind, namespace = submission.client.backend.kind, submission.client.namespace
    return {"run": run_id, "kind": kind, "name": submission.name, "namespace": namespace, "outcome": submission.outcome}
