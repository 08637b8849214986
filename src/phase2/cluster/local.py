"""A run in a process of this machine: the command, the id and the store of a plan, without a cluster."""

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
from phase2.config.request import RunRequest
from phase2.config.resolve import ResolvedRun
from phase2.config.settings import (
    CHECKPOINT_MINUTES,
    RESUME_VARIABLE,
    RUN_ID_VARIABLE,
    STORE_VARIABLE,
    WORKFLOW_VARIABLE,
)
from phase2.runs.layout import check_run_id

# What of a cluster's options means something here.
_USED = ("cpu", "store", "checkpoint_minutes")
_STOPPED = {128 + signal.SIGTERM, 128 + signal.SIGINT}
_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """A run as it is carried out here.

    Attributes:
        run_id: Its id.
        resolved: The run.
        command: What is run.
        environment: Variables of the process, besides those of this one.
        unused: Options that only a cluster can act upon.
    """

    run_id: str
    resolved: ResolvedRun
    command: tuple[str, ...]
    environment: Mapping[str, str]
    unused: tuple[str, ...]


def make_local_plan(
    run_id: str, resolved: ResolvedRun, words: ClusterOptions, *, accepted: tuple[str, ...] = ()
) -> LocalPlan:
    """Put a plan together; it trains what a pod with the same words would train.

    Args:
        run_id: Id of the run.
        resolved: The run.
        words: What would be asked of a cluster.
        accepted: Changes since its last checkpoint that are accepted, when it is continued.

    Raises:
        RequestError: The id is none, or a word makes no sense.
    """
    check_run_id(run_id)
    environment = {RUN_ID_VARIABLE: run_id}
    if words.store is not None:
        environment[STORE_VARIABLE] = words.store
    if words.cpu is not None:
        environment["OMP_NUM_THREADS"] = str(parse_cpu(words.cpu).at_least_one)
    minutes = CHECKPOINT_MINUTES if words.checkpoint_minutes is None else words.checkpoint_minutes
    command = train_command(resolved.request, minutes, accepted)
    asked = [one.name for one in fields(words) if getattr(words, one.name) is not None and one.name not in _USED]
    return LocalPlan(run_id, resolved, command, MappingProxyType(environment), tuple(asked))


@dataclass(frozen=True, slots=True)
class ProcessExit:
    """How the process of a run ended.

    Attributes:
        code: Its exit code.
        was_told_to_stop: Whether somebody asked for that; a run that is trained to the end succeeds nevertheless.
    """

    code: int
    was_told_to_stop: bool = False


def run_locally(plan: LocalPlan, *, stdout: int | None = None) -> ProcessExit:
    """Carry a plan out; signals to this process reach that of the run, once each.

    Args:
        plan: The plan.
        stdout: Where it prints; None is where this process prints.
    """
    words = [sys.executable, "-m", "phase2", *plan.command[1:]]
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_RUN} | dict(plan.environment)
    with _Relay() as relay:
        # A process group of its own: Ctrl-C would reach it twice otherwise, and a second one means "at once".
        process = subprocess.Popen(  # noqa: S603 - our own command
            words, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, process_group=0
        )
        with relay.to(process):
            code = process.wait()
    code = code if code >= 0 else 128 - code
    return ProcessExit(code, was_told_to_stop=relay.has_passed_on or code in _STOPPED)


# The words of another run, or of this command, which the run's own command line says already.
_OF_A_RUN = {RESUME_VARIABLE, WORKFLOW_VARIABLE, *(f"PHASE2_{one.name.upper()}" for one in fields(RunRequest))}


class _Relay:
    """Passes signals on to a process, also those that came before it was there."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self.has_passed_on = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> _Relay:
        self._before = {number: signal.signal(number, self._take) for number in _PASSED_ON}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def to(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        self._process = process
        while self._early:
            self._take(self._early.pop(0), None)
        yield

    def _take(self, number: int, _frame: FrameType | None) -> None:
        if self._process is None:
            self._early.append(number)
        elif self._process.returncode is None:
            # A terminal that is closed must not cost what was trained: the run saves on SIGTERM.
            self.has_passed_on = True
            self._process.send_signal(signal.SIGTERM if number == signal.SIGHUP else number)
