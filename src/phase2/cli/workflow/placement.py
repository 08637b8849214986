"""Resources and placement that a workflow was given, completed by those of the installation."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from phase2.cli.console import note
from phase2.cli.options import request_option
from phase2.cluster.request.installation import Installation
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.quantities import parse_memory
from phase2.config.settings import workflow_name
from phase2.errors import RequestError
from phase2.machine.rank import refuse_many_processes

if TYPE_CHECKING:
    from phase2.cluster.manifests.patch import PodPatches
    from phase2.cluster.request.resources import ClusterRequest
    from phase2.config.resolve import ResolvedRun

INSTALLATION_VARIABLE = "PHASE2_INSTALLATION"

_HELP = {
    "gpus": (int, "GPUs."),
    "gpu_resource": (str, "Name of the GPUs in the cluster."),
    "cpu": (str, "CPU request."),
    "memory": (str, "Memory request and limit."),
    "retry_memory": (str, "Memory of further attempts."),
    "ephemeral_storage": (str, "Disk of the node, request and limit."),
    "queue": (str, "Kueue queue."),
    "priority": (str, "Priority class."),
    "node_selector": (str, "Labels that the node must have, a JSON object."),
    "tolerations": (str, "Taints that the pod tolerates, a JSON list."),
    "max_hours": (float, "Longest estimated time without a GPU, hours; 0 is no limit."),
}
_InstallationOption = Annotated[
    Path | None,
    typer.Option(
        "--installation",
        help="Folder of the installation's defaults, a file for each key of the ConfigMap phase2-runs.",
        envvar=INSTALLATION_VARIABLE,
        show_envvar=False,
    ),
]


@dataclass(frozen=True, slots=True)
class Placement:
    """Resources and placement that a workflow was given.

    Attributes:
        given: Those that were given.
        retry_memory: Memory of further attempts; None is that of the first.
        installation: What the installation gives otherwise.
    """

    given: ClusterOptions
    retry_memory: str | None
    installation: Installation

    def request(self, run: ResolvedRun) -> ClusterRequest:
        """Return the resources and the placement of a run.

        Raises:
            RequestError: A value is invalid.
        """
        return self.of(run.config.algorithm, run.config.mode)

    def of(self, algorithm: str, mode: str) -> ClusterRequest:
        """Return the resources and the placement of the pods of an algorithm and mode, ``all`` where there are none.

        Raises:
            RequestError: A value is invalid.
        """
        installed = self.installation.options(algorithm, mode)
        # The image is named by the Workflow; it is the one that runs this command.
        asked = self.given.merged_onto(installed).merged_onto(ClusterOptions(image="phase2")).request("phase2")
        return self.installation.defaults.limits(algorithm, mode).check(asked)

    def with_nodes(self, nodes: int | None) -> Placement:
        """Return the same for a run on several nodes; None is one."""
        return replace(self, given=replace(self.given, nodes=nodes))

    def patches(self, cluster: ClusterRequest) -> PodPatches:
        """Return the patches of the pods of a run.

        Raises:
            RequestError: Several pods cannot be named after the Workflow, or cannot wait in a queue.
        """
        from phase2.cluster.manifests.patch import PodPatches

        memory = parse_memory(self.retry_memory) if self.retry_memory else None
        return PodPatches.of(cluster, memory, workflow=workflow_name() or "")


def takes_placement(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of resources and placement to a command, which receives them as ``placement``."""
    own = [one for one in inspect.signature(command, eval_str=True).parameters.values() if one.name != "placement"]
    added = {
        name: Annotated[kind | None, request_option(f"--{name.replace('_', '-')}", help=text)]
        for name, (kind, text) in _HELP.items()
    } | {"installation": _InstallationOption}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in added.items()
    ]

    @functools.wraps(command)
    def wrapper(*positional: Any, **values: Any) -> None:
        placement = _placement({name: values.pop(name) for name in added})
        command(*positional, placement=placement, **values)

    first = [one for one in own if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD][:1]
    rest = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own if one not in first]
    wrapper.__signature__ = inspect.Signature([*first, *rest, *parameters])  # type: ignore[attr-defined]
    return wrapper


def check_resources(runs: Sequence[ResolvedRun], placement: Placement, store: str | None) -> list[ClusterRequest]:
    """Check what runs get before anything is reserved for them: memory, and the time without a GPU.

    Args:
        runs: The runs.
        placement: Resources and placement that were given.
        store: Store of the runs; None and "" are that of the environment.

    Returns:
        The resources and the placement of each run.

    Raises:
        RequestError: The memory is too small, a run would take longer than the limit, or has more processes than a
            batch has crystals.
    """
    from phase2.cli.cluster.submission.cpu_time import accepted_work, note_time
    from phase2.cli.cluster.submission.steps import memory_warnings

    requests = [placement.request(run) for run in runs]
    pairs = list(zip(runs, requests, strict=True))
    for run, cluster in pairs:
        refuse_many_processes(cluster.processes, run.config.training.batch_size)
        for warning in memory_warnings([run], cluster):
            note(warning)
    limit = placement.given.max_hours
    limit = placement.installation.max_hours if limit is None else limit
    note_time(accepted_work(pairs, limit_hours=limit, store=store))
    return requests


def _placement(values: dict[str, Any]) -> Placement:
    folder: Path | None = values.pop("installation")
    retry_memory: str | None = values.pop("retry_memory")
    selector, tolerations = values.pop("node_selector"), values.pop("tolerations")
    known = {one.name for one in fields(ClusterOptions)}
    given = ClusterOptions(
        **{name: value for name, value in values.items() if name in known},
        node_selector=None if selector is None else _selector(selector),
        toleration=None if tolerations is None else _tolerations(tolerations),
    )
    return Placement(given, retry_memory, Installation() if folder is None else Installation.read(folder))


def _selector(text: str) -> tuple[str, ...]:
    found = _json(text)
    if not isinstance(found, dict):
        raise _invalid("node-selector", text, "a mapping", '{"gpu": "h100"}')
    return tuple(f"{key}={value}" for key, value in found.items())


def _tolerations(text: str) -> tuple[str, ...]:
    found = _json(text)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _invalid("tolerations", text, "a list of mappings", '[{"key": "gpu", "operator": "Exists"}]')
    return tuple(map(json.dumps, found))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _invalid(name: str, text: str, what: str, example: str) -> RequestError:
    return RequestError(
        f"{name}={text} is not understood.", why=f"It is {what}, in JSON.", fix=f"Write {name}={example}."
    )
