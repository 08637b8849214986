"""Plan of a run in a process of this machine, with the command, id and store that a pod would have. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from phase2.cluster.plan import train_command
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.quantities import parse_cpu
from phase2.config.reproduce import reproducing_request
from phase2.config.resolve import ResolvedRun
from phase2.config.settings import (
    CHECKPOINT_MINUTES,
    METRICS_PORT_VARIABLE,
    PACKED_VARIABLE,
    RUN_ID_VARIABLE,
    STORE_VARIABLE,
)
from phase2.machine.hardware import THREADS_VARIABLE, thread_count
from phase2.runs.layout import check_run_id

# Cluster options that the local backend honours.
_HONOURED = ("cpu", "store", "checkpoint_minutes")


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """Plan of a run in a process of this machine.

    Attributes:
        run_id: Run id.
        resolved: The run.
        command: Command line of the process.
        environment: Environment variables that are added to those of this process.
        unused: Names of cluster options that have no effect here.
    """

    run_id: str
    resolved: ResolvedRun
    command: tuple[str, ...]
    environment: Mapping[str, str]
    unused: tuple[str, ...]


def make_local_plan(
    run_id: str, resolved: ResolvedRun, options: ClusterOptions, *, accepted: tuple[str, ...] = (), packed: int = 1
) -> LocalPlan:
    """Make the local plan of a run; it trains what a pod with the same options would train.

    Args:
        run_id: Run id.
        resolved: The run.
        options: Cluster options; those for CPU, store and checkpoints are honoured.
        accepted: Changes since the last checkpoint that a resumed run accepts.
        packed: Runs that share the machine at once, and so its threads; ``--cpu`` is of all of them together.

    Raises:
        RequestError: The run id or an option is invalid.
    """
    check_run_id(run_id)
    environment = {RUN_ID_VARIABLE: run_id}
    if options.store is not None:
        environment[STORE_VARIABLE] = options.store
    if options.cpu is not None:
        environment[THREADS_VARIABLE] = str(parse_cpu(options.cpu).at_least_one)
    if packed > 1:
        threads = int(environment.get(THREADS_VARIABLE) or thread_count())
        environment[THREADS_VARIABLE] = str(max(1, threads // packed))
        environment[PACKED_VARIABLE] = str(packed)
        environment[METRICS_PORT_VARIABLE] = ""  # a port serves one of them alone
    minutes = CHECKPOINT_MINUTES if options.checkpoint_minutes is None else options.checkpoint_minutes
    command = train_command(reproducing_request(resolved), minutes, accepted)
    unused = [
        option.name
        for option in fields(options)
        if getattr(options, option.name) is not None and option.name not in _HONOURED
    ]
    return LocalPlan(run_id, resolved, command, MappingProxyType(environment), tuple(unused))
