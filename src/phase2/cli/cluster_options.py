"""The options of commands that work on a cluster, and what is given to a run there."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phase2.cli.console import note
from phase2.config.settings import IMAGE_VARIABLE, NAMESPACE_VARIABLE, cluster_namespace, image_reference
from phase2.errors import RequestError

if TYPE_CHECKING:
    from phase2.cluster.client import JobClient
    from phase2.cluster.cluster_request import ClusterRequest

NO_CACHE, NEVER = "none", "never"

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
    str, typer.Argument(metavar="RUN", help="Run id, name of its Job, or a unique beginning of one.")
]

_Text, _Several = str | None, list[str] | None


def _option(kind: Any, name: str, help: str) -> Any:  # noqa: A002
    return Annotated[kind, typer.Option(name, help=help)]


_OPTIONS: dict[str, tuple[Any, Any]] = {
    "image": (_option(_Text, "--image", f"Container image, best by its digest (default: ${IMAGE_VARIABLE})."), None),
    "gpus": (_option(int, "--gpus", "NVIDIA GPUs."), 0),
    "cpu": (_option(str, "--cpu", "Cores to reserve, and threads to compute on: 4, or 500m."), "2"),
    "cpu_limit": (_option(_Text, "--cpu-limit", "Cores to use at most (default: no limit)."), None),
    "memory": (_option(str, "--memory", "Memory to reserve, and to be held to."), "8Gi"),
    "namespace": (NamespaceOption, None),
    "context": (ContextOption, None),
    "priority": (_option(_Text, "--priority", "Priority class."), None),
    "queue": (_option(_Text, "--queue", "Kueue queue that admits the run."), None),
    "node_selector": (_option(_Several, "--node-selector", "key=value, a label of the node; may be repeated."), None),
    "toleration": (
        _option(_Several, "--toleration", "key=value:Effect, a taint to put up with; may be repeated."),
        None,
    ),
    "cache": (
        _option(str, "--cache", f"PersistentVolumeClaim of the data cache, or {NO_CACHE}: a fresh one in each pod."),
        NO_CACHE,
    ),
    "deadline": (_option(str, "--deadline", f"Stop the run after this time: 90m, 12h, 3d, or {NEVER}."), "7d"),
    "retries": (_option(int, "--retries", "Failures after which the run is given up."), 6),
    "store": (
        _option(_Text, "--store", "Where the run is kept: s3://bucket/prefix (default: what the cluster says)."),
        None,
    ),
}


def takes_cluster(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a :class:`ClusterRequest`, its second parameter, ``cluster``."""
    first, _, *own = inspect.signature(command, eval_str=True).parameters.values()
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def wrapper(request: Any, **values: Any) -> None:
        command(request, _cluster_request({name: values.pop(name) for name in _OPTIONS}), **values)

    rest = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    wrapper.__signature__ = inspect.Signature([first, *options, *rest])  # type: ignore[attr-defined]
    return wrapper


def _cluster_request(words: dict[str, Any]) -> ClusterRequest:
    from phase2.cluster.cluster_request import ClusterRequest, parse_duration
    from phase2.cluster.image import Image
    from phase2.cluster.names import parse_node_selector, parse_toleration
    from phase2.cluster.quantities import parse_cpu, parse_memory

    limit, cache, deadline = words.pop("cpu_limit"), words.pop("cache"), words.pop("deadline")
    return ClusterRequest(
        image=Image.parse(_image(words.pop("image"))),
        cpu=parse_cpu(words.pop("cpu")),
        cpu_limit=None if limit is None else parse_cpu(limit, option="--cpu-limit"),
        memory=parse_memory(words.pop("memory")),
        namespace=namespace_of(words["context"], words.pop("namespace")),
        node_selector=tuple(map(parse_node_selector, words.pop("node_selector") or ())),
        tolerations=tuple(map(parse_toleration, words.pop("toleration") or ())),
        cache=None if cache == NO_CACHE else cache,
        deadline_seconds=None if deadline == NEVER else parse_duration(deadline, option="--deadline"),
        **words,
    )


def _image(given: str | None) -> str:
    reference = given or image_reference()
    if reference is None:
        raise RequestError(
            "No image is named.",
            why="The run's pod is made of one.",
            fix=f"Give --image registry/phase2@sha256:..., or set {IMAGE_VARIABLE}.",
        )
    return reference


def namespace_of(context: str | None, given: str | None) -> str:
    """The namespace of a command: the one that was named, that of the environment, or that of the context."""
    from phase2.cluster.kubeconfig import context_namespace
    from phase2.cluster.names import check_label_name

    return check_label_name(given or cluster_namespace() or context_namespace(context), "--namespace")


def connected(context: str | None, namespace: str) -> JobClient:
    """Connect to the cluster of a command; what the server warns of goes to standard error."""
    from phase2.cluster.client import JobClient
    from phase2.cluster.connection import Connection

    return JobClient(Connection.open(context, on_warning=lambda text: note(f"warning: {text}")), namespace)
