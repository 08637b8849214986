"""The options of commands that work on a cluster, and what is given to a run there."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phase2.cli.console import note
from phase2.cluster.request.options import NEVER, NO_CACHE, ClusterOptions
from phase2.config.settings import CHECKPOINT_MINUTES, IMAGE_VARIABLE, NAMESPACE_VARIABLE, cluster_namespace

if TYPE_CHECKING:
    from phase2.cluster.namespace import Cluster

NamespaceOption = Annotated[
    str | None,
    typer.Option(
        "--namespace", help=f"Namespace (default: ${NAMESPACE_VARIABLE}, or that of the kubeconfig's context)."
    ),
]
ContextOption = Annotated[
    str | None, typer.Option("--context", help="Context of the kubeconfig (default: its current one).")
]
SubmittedRun = Annotated[
    str, typer.Argument(metavar="RUN", help="Run id, name of its Job or Workflow, or a unique beginning of one.")
]

_Text, _Number, _Several = str | None, int | None, list[str] | None


def _option(kind: Any, name: str, help: str) -> Any:  # noqa: A002
    return Annotated[kind, typer.Option(name, help=help)]


_OPTIONS: dict[str, Any] = {
    "image": _option(_Text, "--image", f"Container image, best by its digest (default: ${IMAGE_VARIABLE})."),
    "gpus": _option(_Number, "--gpus", "NVIDIA GPUs (default: 0)."),
    "cpu": _option(_Text, "--cpu", "Cores to reserve, and threads to compute on: 4, or 500m (default: 2)."),
    "cpu_limit": _option(_Text, "--cpu-limit", "Cores to use at most (default: no limit)."),
    "memory": _option(_Text, "--memory", "Memory to reserve, and to be held to (default: 8Gi)."),
    "namespace": NamespaceOption,
    "context": ContextOption,
    "priority": _option(_Text, "--priority", "Priority class."),
    "queue": _option(_Text, "--queue", "Kueue queue that admits the run."),
    "node_selector": _option(_Several, "--node-selector", "key=value, a label of the node; may be repeated."),
    "toleration": _option(_Several, "--toleration", "key=value:Effect, a taint to put up with; may be repeated."),
    "cache": _option(
        _Text, "--cache", f"PersistentVolumeClaim of the data cache (default: {NO_CACHE}, a fresh one in each pod)."
    ),
    "deadline": _option(_Text, "--deadline", f"Stop the run after this time: 90m, 12h, {NEVER} (default: 7d)."),
    "retries": _option(_Number, "--retries", "Failures after which the run is given up (default: 6)."),
    "store": _option(_Text, "--store", "Where the run is kept: s3://bucket/prefix (default: what the cluster says)."),
    "checkpoint_minutes": _option(
        float | None,
        "--checkpoint-minutes",
        f"Longest time between two checkpoints; each epoch has one, too (default: {CHECKPOINT_MINUTES:g}).",
    ),
}


@dataclass(frozen=True, slots=True)
class ClusterArguments:
    """The options of a command that gives a run to a cluster.

    Attributes:
        words: What is asked.
        namespace: In which namespace.
        context: Of which cluster.
    """

    words: ClusterOptions
    namespace: str
    context: str | None


def takes_cluster(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of :class:`ClusterArguments`, its second parameter, ``cluster``."""
    first, _, *own = inspect.signature(command, eval_str=True).parameters.values()
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def wrapper(request: Any, **values: Any) -> None:
        words = {name: values.pop(name) for name in _OPTIONS}
        context = words.pop("context")
        namespace = namespace_of(context, words.pop("namespace"))
        for name in ("node_selector", "toleration"):
            words[name] = tuple(words[name]) if words[name] else None
        command(request, ClusterArguments(ClusterOptions(**words), namespace, context), **values)

    rest = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    wrapper.__signature__ = inspect.Signature([first, *options, *rest])  # type: ignore[attr-defined]
    return wrapper


def namespace_of(context: str | None, given: str | None) -> str:
    """The namespace of a command: the one that was named, that of the environment, or that of the context."""
    from phase2.cluster.api.kubeconfig import context_namespace
    from phase2.cluster.request.names import check_label_name

    return check_label_name(given or cluster_namespace() or context_namespace(context), "--namespace")


def connected(context: str | None, namespace: str) -> Cluster:
    """Connect to the cluster of a command; what the server warns of goes to standard error."""
    from phase2.cluster.api.connection import Connection
    from phase2.cluster.namespace import Cluster

    return Cluster(Connection.open(context, on_warning=lambda text: note(f"warning: {text}")), namespace)
