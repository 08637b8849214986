"""Options of the commands that reach a cluster: connection, resources, placement and limits."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phase2.cli.console import note
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.resources import NEVER, NO_CACHE
from phase2.config.settings import CHECKPOINT_MINUTES, IMAGE_VARIABLE, NAMESPACE_VARIABLE, cluster_namespace
from phase2.errors import Phase2Error, RequestError

if TYPE_CHECKING:
    from phase2.cluster.api.connection import Connection
    from phase2.cluster.namespace import Cluster
    from phase2.cluster.request.installation import Installation

NamespaceOption = Annotated[
    str | None,
    typer.Option(
        "--namespace", "-n", help=f"Namespace (default: ${NAMESPACE_VARIABLE}, or that of the kubeconfig's context)."
    ),
]
ContextOption = Annotated[
    str | None, typer.Option("--context", help="Context of the kubeconfig (default: its current one).")
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="Run id, name of its Job or Workflow, or a unique prefix of either.")
]

_Text, _Number, _List = str | None, int | None, list[str] | None


def _option(kind: Any, name: str, help: str) -> Any:  # noqa: A002
    return Annotated[kind, typer.Option(name, help=help)]


_OPTIONS: dict[str, Any] = {
    "image": _option(_Text, "--image", f"Container image, preferably by digest (default: ${IMAGE_VARIABLE})."),
    "nodes": _option(_Number, "--nodes", "Pods that train the run together, each with these resources (default: 1)."),
    "gpus": _option(_Number, "--gpus", "GPUs of each pod, which share every batch (default: 0)."),
    "gpu_resource": _option(_Text, "--gpu-resource", "Name of the GPUs in the cluster (default: nvidia.com/gpu)."),
    "cpu": _option(_Text, "--cpu", "CPU request, and number of threads: 4, or 500m (default: 2)."),
    "cpu_limit": _option(_Text, "--cpu-limit", "CPU limit (default: none)."),
    "memory": _option(_Text, "--memory", "Memory request and limit (default: 8Gi)."),
    "ephemeral_storage": _option(_Text, "--ephemeral-storage", "Disk of the node, request and limit (default: none)."),
    "namespace": NamespaceOption,
    "context": ContextOption,
    "priority": _option(_Text, "--priority", "Priority class."),
    "queue": _option(_Text, "--queue", "Kueue queue that admits the run."),
    "node_selector": _option(_List, "--node-selector", "key=value, a required label of the node; may be repeated."),
    "toleration": _option(_List, "--toleration", "key=value:Effect, a taint to tolerate; may be repeated."),
    "cache": _option(
        _Text, "--cache", f"PersistentVolumeClaim of the data cache (default: {NO_CACHE}, an empty one in each pod)."
    ),
    "deadline": _option(_Text, "--deadline", f"Stop the run after this time: 90m, 12h, {NEVER} (default: 7d)."),
    "retries": _option(_Number, "--retries", "Number of retries after failures (default: 6)."),
    "store": _option(_Text, "--store", "Store of the run: s3://bucket/prefix (default: that of the namespace)."),
    "checkpoint_minutes": _option(
        float | None,
        "--checkpoint-minutes",
        f"Longest time between two checkpoints; each epoch also ends with one (default: {CHECKPOINT_MINUTES:g}).",
    ),
    "max_hours": _option(
        float | None,
        "--max-hours",
        "Refuse a run without a GPU whose estimated time is longer; 0 accepts any (default: that of the installation).",
    ),
}


@dataclass(frozen=True, slots=True)
class ClusterArguments:
    """Cluster options and target of a command that submits runs.

    Attributes:
        options: Cluster options of the runs.
        namespace: Namespace to submit to.
        context: Context of the kubeconfig; None is its current one.
    """

    options: ClusterOptions
    namespace: str
    context: str | None


def takes_cluster(command: Callable[..., None]) -> Callable[..., None]:
    """Add the cluster options to a command, which receives them as its second parameter, ``cluster``."""
    first, _, *own = inspect.signature(command, eval_str=True).parameters.values()
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def wrapper(request: Any, **values: Any) -> None:
        options = {name: values.pop(name) for name in _OPTIONS}
        context = options.pop("context")
        namespace = namespace_of(context, options.pop("namespace"))
        for name in ("node_selector", "toleration"):
            options[name] = tuple(options[name]) if options[name] else None
        command(request, ClusterArguments(ClusterOptions(**options), namespace, context), **values)

    rest = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    wrapper.__signature__ = inspect.Signature([first, *added, *rest])  # type: ignore[attr-defined]
    return wrapper


def namespace_of(context: str | None, given: str | None) -> str:
    """Return the namespace of a command: the option, or that of the environment or the context."""
    from phase2.cluster.api.kubeconfig import context_namespace
    from phase2.cluster.request.names import check_label_name

    return check_label_name(given or cluster_namespace() or context_namespace(context), "--namespace")


def refuse_two_scopes(namespace: str | None, *, all_namespaces: bool) -> None:
    """Refuse a namespace together with all namespaces.

    Raises:
        RequestError: Both are given.
    """
    if namespace is not None and all_namespaces:
        raise RequestError(
            f"--namespace {namespace} cannot be combined with --all-namespaces.",
            why="One asks for a single namespace, the other for every one.",
            fix="Drop one of the two.",
        )


def connected(context: str | None, namespace: str) -> Cluster:
    """Connect to the cluster of a command; warnings of the server go to standard error."""
    from phase2.cluster.namespace import Cluster

    return Cluster(connection_to(context), namespace)


def connection_to(context: str | None) -> Connection:
    """Open the connection of a command; warnings of the server go to standard error."""
    from phase2.cluster.api.connection import Connection

    return Connection.open(context, on_warning=lambda text: note(f"warning: {text}"))


HERE = "Or train on this machine: --backend local."


@contextmanager
def without_cluster(here: str = HERE) -> Iterator[None]:
    """Say in the error of a missing cluster, inside this block, what does the same on this machine.

    Raises:
        NoClusterError: No cluster is configured.
    """
    from phase2.cluster.api.errors import NoClusterError

    try:
        yield
    except NoClusterError as error:
        raise NoClusterError(error.what, why=error.why, fix=f"{error.fix} {here}") from error


def installation_of(target: ClusterArguments, *, dry_run: bool, here: str = HERE) -> Installation:
    """Read what the installation gives to the runs of a namespace.

    Args:
        target: Namespace and context.
        dry_run: Whether nothing is submitted: then a cluster that cannot be asked is no error, but a note.
        here: What does the same without a cluster.

    Raises:
        RequestError: There is no usable kubeconfig, or what the installation says is invalid.
        TransientError: The server does not answer.
    """
    from phase2.cluster.api.errors import ForbiddenError
    from phase2.cluster.api.installation import read_installation
    from phase2.cluster.request.installation import Installation

    try:
        with without_cluster(here):
            return read_installation(connection_to(target.context), target.namespace)
    except (Phase2Error, ModuleNotFoundError) as error:
        if not (dry_run or isinstance(error, ForbiddenError)):
            raise
        why = error.what if isinstance(error, Phase2Error) else "The extra 'cluster' is not installed."
        note(f"note: the defaults of the installation are not known: {why}")
        return Installation()
