"""Options of commands that train several runs, on a cluster or this machine: how they are executed and followed."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from phase2.cli.cluster.submission.local_data import PushOption
from phase2.cli.cluster.submission.submit import DryRunOption, WatchOption
from phase2.cli.notification import NotifyOnOption, NotifyOption
from phase2.cli.store import JsonOption

NameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        help="Name; its runs are NAME-0, NAME-1, ..., and the same name again continues them (default: a new one).",
    ),
]
BackendOption = Annotated[
    str,
    typer.Option(
        "--backend",
        help="job: a Kubernetes Job for each run, or with --pack one for all; argo: one Argo Workflow, which trains "
        "four at a time; local: processes of this machine, one after another or --pack of them at once.",
    ),
]
MAX_PACKED = 64
"""Most runs that share a GPU or a machine at once."""
PackOption = Annotated[
    int,
    typer.Option(
        "--pack",
        min=1,
        max=MAX_PACKED,
        help="Small runs that train at once on one GPU, or on the cores of one machine, in processes that share them.",
    ),
]


@dataclass(frozen=True, slots=True)
class Execution:
    """How several runs are executed.

    Attributes:
        name: Their common name, which each has before its number; None for a new one.
        backend: ``job``, ``argo`` or ``local``.
        pack: Runs that train at once in one place.
        push: Put data of this machine into the store, for the pods.
        dry_run: Print what would run, and stop.
        watch: Follow the runs of a cluster to their end.
        notify: To whom a message of their end goes.
        notify_on: When one does.
        as_json: Print JSON.
    """

    name: str | None
    backend: str
    pack: int
    push: bool
    dry_run: bool
    watch: bool
    notify: list[str] | None
    notify_on: str | None
    as_json: bool


_OPTIONS: dict[str, tuple[Any, Any]] = {
    "name": (NameOption, None),
    "backend": (BackendOption, None),
    "pack": (PackOption, 1),
    "push": (PushOption, False),
    "dry_run": (DryRunOption, False),
    "watch": (WatchOption, False),
    "notify": (NotifyOption, None),
    "notify_on": (NotifyOnOption, None),
    "as_json": (JsonOption, False),
}


def takes_execution(command: Callable[..., None], *, backend: str) -> Callable[..., None]:
    """Add these options to a command, which receives them as its third parameter, ``execution``.

    Args:
        command: Function whose first parameters are the request, ``cluster`` and ``execution``.
        backend: Default of ``--backend``.
    """
    request, cluster, _, *own = inspect.signature(command, eval_str=True).parameters.values()
    defaults = {name: default for name, (_, default) in _OPTIONS.items()} | {"backend": backend}
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=annotation)
        for name, (annotation, _) in _OPTIONS.items()
    ]

    @functools.wraps(command)
    def wrapper(request: Any, cluster: Any, **values: Any) -> None:
        execution = Execution(**{name: values.pop(name) for name in _OPTIONS})
        command(request, cluster, execution, **values)

    rest = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
    wrapper.__signature__ = inspect.Signature([request, cluster, *added, *rest])  # type: ignore[attr-defined]
    return wrapper
