"""Choice of a backend, and what every submission checks and prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

from phase2.cli.console import note
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.resources import NO_CACHE
from phase2.config.settings import image_reference
from phase2.errors import RequestError, UnknownNameError

if TYPE_CHECKING:
    from phase2.cli.cluster.options import ClusterArguments
    from phase2.cluster.backend import RunBackend
    from phase2.cluster.plan import Plan
    from phase2.cluster.request.installation import Installation
    from phase2.cluster.request.resources import ClusterRequest
    from phase2.cluster.submit import Submission
    from phase2.config.resolve import ResolvedRun

BackendChoice = Literal["job", "argo", "local"]
BACKENDS: tuple[BackendChoice, ...] = get_args(BackendChoice)
DEFAULT_BACKEND: BackendChoice = "job"


def check_backend(name: str) -> BackendChoice:
    """Validate the value of ``--backend``.

    Raises:
        UnknownNameError: There is none of this name.
    """
    for backend in BACKENDS:
        if name == backend:
            return backend
    raise UnknownNameError.of("backend", name, BACKENDS)


def cluster_backend(name: BackendChoice) -> RunBackend:
    """Return the cluster backend of a name other than ``local``."""
    from phase2.cluster.backends import CLUSTER_BACKENDS

    assert name != "local"  # noqa: S101 - the commands branch before
    return CLUSTER_BACKENDS[name]


def with_environment(options: ClusterOptions) -> ClusterOptions:
    """Complete options that were given with the image of the environment."""
    return options.merged_onto(ClusterOptions(image=image_reference()))


def check_run(run_id: str, run: ResolvedRun, given: ClusterOptions, namespace: str) -> None:
    """Check what was given for a run, before a cluster is asked what else it gets.

    Raises:
        RequestError: The run id or an option is invalid, or the pod could not read the data.
        UnknownNameError: There is no data set of this name.
    """
    from phase2.cluster.plan import CACHE_CLAIM, make_plan

    likely = ClusterOptions(image="phase2", cache=CACHE_CLAIM)
    make_plan(run_id, run, given.merged_onto(likely).request(namespace))


def plan_of(
    run_id: str,
    run: ResolvedRun,
    given: ClusterOptions,
    installation: Installation,
    *,
    backend: RunBackend,
    target: ClusterArguments,
    accepted: tuple[str, ...] = (),
) -> Plan:
    """Make the plan of a run, with what the installation gives to runs of its kind.

    Args:
        run_id: Run id.
        run: The run.
        given: Options of the cluster that were given.
        installation: What the installation gives otherwise.
        backend: Backend that is to execute the run.
        target: Namespace and context.
        accepted: Changes since the last checkpoint that a resumed run accepts.

    Raises:
        RequestError: An option is invalid, or the backend does not go with it.
    """
    from phase2.cluster.plan import make_plan

    options = _with_installation(backend, given, installation, run)
    request = options.request(target.namespace, context=target.context)
    return make_plan(run_id, run, request, accepted=accepted, options=options, given=given)


def _with_installation(
    backend: RunBackend, given: ClusterOptions, installation: Installation, run: ResolvedRun
) -> ClusterOptions:
    """Complete options with those that the installation has for a run, and the data cache that every Workflow has.

    Raises:
        RequestError: A Workflow is requested without the data cache.
    """
    from phase2.cluster.plan import CACHE_CLAIM

    complete = given.merged_onto(installation.options(run.config.algorithm, run.config.mode))
    if backend.name != "argo":
        return complete
    if given.cache == NO_CACHE:
        raise RequestError(
            f"--cache {NO_CACHE} cannot be combined with --backend argo.",
            why=f"The training of every Workflow has the claim {CACHE_CLAIM}.",
            fix="Drop it, or use --backend job.",
        )
    return replace(complete, cache=complete.cache or CACHE_CLAIM)


def tag_warning(cluster: ClusterRequest) -> None:
    """Print a note if the image is a tag, which may change."""
    if cluster.image.digest is None:
        note(f"note: {cluster.image} is a tag, which may change: name it by its digest to have the image recorded")


def memory_warnings(runs: Iterable[ResolvedRun], cluster: ClusterRequest) -> list[str]:
    """Return warnings about a memory limit that may be too low for a run, before a pod is killed for it.

    Raises:
        RequestError: The limit is too low.
    """
    from phase2.machine.memory import check_memory, needed_memory

    if cluster.gpus:  # the memory of a run on a GPU was not measured
        return []
    needs = {needed_memory(run.config, workers=cluster.threads) for run in runs}
    warning = check_memory(max(needs), int(cluster.memory.value))
    return [warning] if warning else []


def submission_facts(run_id: str, submission: Submission) -> dict[str, str]:
    """Return a submission as JSON."""
    kind, namespace = submission.client.backend.kind, submission.client.namespace
    return {"run": run_id, "kind": kind, "name": submission.name, "namespace": namespace, "outcome": submission.outcome}
