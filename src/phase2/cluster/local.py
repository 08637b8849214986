"""The local backend: a run in a process of this machine, with the command, id and store that a pod would have."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from types import FrameType, MappingProxyType
from typing import Any

from phase2.cluster.plan import train_command
from phase2.cluster.request.options import ClusterOptions
from phase2.cluster.request.quantities import parse_cpu
from phase2.config.reproduce import reproducing_request
from phase2.config.request import RunRequest
from phase2.config.resolve import ResolvedRun
from phase2.config.settings import (
    CHECKPOINT_MINUTES,
    RESUME_VARIABLE,
    RUN_ID_VARIABLE,
    SET_VARIABLE,
    STORE_VARIABLE,
    WORKFLOW_VARIABLE,
)
from phase2.runs.layout import check_run_id

# Cluster options that the local backend honours.
_HONOURED = ("cpu", "store", "checkpoint_minutes")
_STOP_CODES = {128 + signal.SIGTERM, 128 + signal.SIGINT}
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


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
    run_id: str, resolved: ResolvedRun, options: ClusterOptions, *, accepted: tuple[str, ...] = ()
) -> LocalPlan:
    """Make the local plan of a run; it trains what a pod with the same options would train.

    Args:
        run_id: Run id.
        resolved: The run.
        options: Cluster options; those for CPU, store and checkpoints are honoured.
        accepted: Changes since the last checkpoint that a resumed run accepts.

    Raises:
        RequestError: The run id or an option is invalid.
    """
    check_run_id(run_id)
    environment = {RUN_ID_VARIABLE: run_id}
    if options.store is not None:
        environment[STORE_VARIABLE] = options.store
    if options.cpu is not None:
        environment["OMP_NUM_THREADS"] = str(parse_cpu(options.cpu).at_least_one)
    minutes = CHECKPOINT_MINUTES if options.checkpoint_minutes is None else options.checkpoint_minutes
    command = train_command(reproducing_request(resolved), minutes, accepted)
    unused = [
        option.name
        for option in fields(options)
        if getattr(options, option.name) is not None and option.name not in _HONOURED
    ]
    return LocalPlan(run_id, resolved, command, MappingProxyType(environment), tuple(unused))


@dataclass(frozen=True, slots=True)
class ProcessExit:
    """How the process of a run ended.

    Attributes:
        code: Exit code.
        was_stopped: Whether it received a signal to stop; a run that completes nevertheless has the code 0.
    """

    code: int
    was_stopped: bool = False


def run_locally(plan: LocalPlan, *, stdout: int | None = None) -> ProcessExit:
    """Run a plan in a process, and forward each signal to it once.

    Args:
        plan: The plan.
        stdout: File descriptor for its standard output; None inherits that of this process.
    """
    command = [sys.executable, "-m", "phase2", *plan.command[1:]]
    environment = {name: value for name, value in os.environ.items() if name not in _RUN_VARIABLES} | dict(
        plan.environment
    )
    with _SignalForwarder() as forwarder:
        # In a process group of its own: Ctrl-C would reach it twice otherwise, and a second one skips the checkpoint.
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, process_group=0
        )
        with forwarder.to(process):
            code = process.wait()
    code = code if code >= 0 else 128 - code
    return ProcessExit(code, was_stopped=forwarder.has_forwarded or code in _STOP_CODES)


# Settings of another run or of this command; the run's own are on its command line.
_RUN_VARIABLES = {
    *(RESUME_VARIABLE, WORKFLOW_VARIABLE, SET_VARIABLE),
    *(f"PHASE2_{one.name.rstrip('_').upper()}" for one in fields(RunRequest)),
}


class _SignalForwarder:
    """Forwards signals to a process, including those received before it was started."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self.has_forwarded = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> _SignalForwarder:
        self._before = {number: signal.signal(number, self._forward) for number in _FORWARDED}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def to(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        self._process = process
        while self._early:
            self._forward(self._early.pop(0), None)
        yield

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        elif self._process.returncode is None:
            # When the terminal is closed the run has to save a checkpoint, which it does on SIGTERM.
            self.has_forwarded = True
            self._process.send_signal(signal.SIGTERM if number == signal.SIGHUP else number)
