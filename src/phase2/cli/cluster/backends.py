"""Where a run is carried out, and what a submission says of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

from phase2.cli.console import note
from phase2.cluster.request.options import NO_CACHE, ClusterOptions
from phase2.config.settings import image_reference
from phase2.errors import RequestError, UnknownNameError

if TYPE_CHECKING:
    from phase2.cluster.backend import Carrier
    from phase2.cluster.request.resources import ClusterRequest
    from phase2.cluster.submit import Submission
    from phase2.config.resolve import ResolvedRun

Backend = Literal["job", "argo", "local"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
DEFAULT_BACKEND: Backend = "job"


def check_backend(name: str) -> Backend:
    """A backend by its name.

    Raises:
        UnknownNameError: There is none of this name.
    """
    for backend in BACKENDS:
        if name == backend:
            return backend
    raise UnknownNameError.of("backend", name, BACKENDS)


def cluster_backend(backend: Backend) -> Carrier:
    """The kind of object of a backend that is a cluster's."""
    from phase2.cluster.backends import CLUSTER_BACKENDS

    assert backend != "local"  # noqa: S101 - carried out before this
    return CLUSTER_BACKENDS[backend]


def with_environment(carrier: Carrier, words: ClusterOptions) -> ClusterOptions:
    """What is asked of a cluster, with what the environment says and what every Workflow has.

    Raises:
        RequestError: A Workflow is to do without the data cache.
    """
    from phase2.cluster.plan import CACHE_CLAIM

    complete = words.over(ClusterOptions(image=image_reference()))
    if carrier.backend != "argo":
        return complete
    if complete.cache == NO_CACHE:
        raise RequestError(
            f"--cache {NO_CACHE} cannot be combined with --backend argo.",
            why=f"Every step of a Workflow has the claim {CACHE_CLAIM}.",
            fix="Drop it, or use --backend job.",
        )
    return replace(complete, cache=complete.cache or CACHE_CLAIM)


def tag_warning(cluster: ClusterRequest) -> None:
    """Remark on an image that may become another one."""
    if cluster.image.digest is None:
        note(f"note: {cluster.image} is a tag, which may change: name it by its digest to have the image recorded")


def memory_warnings(runs: Iterable[ResolvedRun], cluster: ClusterRequest) -> list[str]:
    """Warnings of a memory limit that may be too low for one of several runs: a pod would find out minutes later.

    Raises:
        RequestError: It is too low.
    """
    from phase2.machine.memory import check_memory, needed_memory

    if cluster.gpus:  # what a run needs beside one was not measured
        return []
    needs = {needed_memory(run.config, workers=cluster.threads) for run in runs}
    warning = check_memory(max(needs), int(cluster.memory.value))
    return [warning] if warning else []


def submission_facts(run_id: str, done: Submission) -> dict[str, str]:
    """A submission as JSON."""
    kind, namespace = done.client.carrier.kind, done.client.namespace
    return {"run": run_id, "kind": kind, "name": done.name, "namespace": namespace, "outcome": done.outcome}
