"""Processes that execute local plans, one or several at once, and the signals that stop them."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from types import FrameType
from typing import IO, Any

from phase2.cluster.local.plan import LocalPlan
from phase2.config.request.run_request import RunRequest
from phase2.config.settings import PACKED_VARIABLE, RESUME_VARIABLE, SET_VARIABLE, WORKFLOW_VARIABLE

_STOP_CODES = {128 + signal.SIGTERM, 128 + signal.SIGINT}
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


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
    with _SignalForwarder() as forwarder:
        process = _start(plan, stdout=stdout)
        forwarder.add(process)
        code = process.wait()
    code = _as_shell(code)
    return ProcessExit(code, was_stopped=forwarder.has_forwarded or code in _STOP_CODES)


def run_packed(
    plans: Sequence[LocalPlan],
    at_once: int,
    *,
    on_output: Callable[[str], None],
    on_note: Callable[[str], None],
    on_end: Callable[[LocalPlan, ProcessExit], None],
) -> bool:
    """Run plans in processes, several at once.

    A run that fails stops no other. A signal reaches all that run, and no other starts.

    Args:
        plans: The plans.
        at_once: Processes that run at once.
        on_output: Callback receiving each line of their standard output, behind the run id; in other threads, one line
            at a time.
        on_note: The same for standard error.
        on_end: Callback receiving each run that ended, in the order of the ends.

    Returns:
        Whether a signal stopped them.
    """
    waiting = list(plans)
    ended: queue.Queue[tuple[LocalPlan, int]] = queue.Queue()
    running = 0
    with _SignalForwarder() as forwarder:
        while running or (waiting and not forwarder.has_forwarded):
            while waiting and running < at_once and not forwarder.has_forwarded:
                plan = waiting.pop(0)
                process = _start(plan, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                forwarder.add(process)
                threading.Thread(target=_follow, args=(plan, process, ended, on_output, on_note)).start()
                running += 1
            plan, code = ended.get()
            running -= 1
            on_end(plan, ProcessExit(_as_shell(code), was_stopped=forwarder.has_forwarded))
        return forwarder.has_forwarded


def _follow(
    plan: LocalPlan,
    process: subprocess.Popen[bytes],
    ended: queue.Queue[tuple[LocalPlan, int]],
    on_output: Callable[[str], None],
    on_note: Callable[[str], None],
) -> None:
    """Pass on what a process prints, and report its end."""
    outputs = ((process.stdout, on_output), (process.stderr, on_note))
    copies = [threading.Thread(target=_pass_on, args=(plan.run_id, *one)) for one in outputs]
    for copy in copies:
        copy.start()
    for copy in copies:
        copy.join()
    ended.put((plan, process.wait()))


_PRINTING = threading.Lock()


def _pass_on(run_id: str, source: IO[bytes], on_line: Callable[[str], None]) -> None:
    with source:
        for line in source:
            text = line.decode(errors="replace").rstrip("\r\n")
            # A terminal that has gone must not hold up the run, which waits while nobody reads what it prints.
            with _PRINTING, suppress(OSError, ValueError):
                on_line(f"{run_id}: {text}")


def _start(plan: LocalPlan, *, stdout: int | None, stderr: int | None = None) -> subprocess.Popen[bytes]:
    """Start the process of a plan."""
    environment = {name: value for name, value in os.environ.items() if name not in _RUN_VARIABLES}
    # In a process group of its own: Ctrl-C would reach it twice otherwise, and a second one skips the checkpoint.
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "phase2", *plan.command[1:]],
        env=environment | dict(plan.environment),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        process_group=0,
    )


def _as_shell(code: int) -> int:
    """Return an exit code as a shell has it: 128 and the number of the signal that killed the process."""
    return code if code >= 0 else 128 - code


# Settings of another run or of this command; the run's own are on its command line.
_RUN_VARIABLES = {
    *(RESUME_VARIABLE, WORKFLOW_VARIABLE, SET_VARIABLE, PACKED_VARIABLE),
    *(f"PHASE2_{one.name.rstrip('_').upper()}" for one in fields(RunRequest)),
}


class _SignalForwarder:
    """Forwards signals to processes, including those received before one was started.

    Attributes:
        has_forwarded: Whether a signal was received.
    """

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._received: list[int] = []
        self._before: dict[signal.Signals, Any] = {}

    @property
    def has_forwarded(self) -> bool:
        return bool(self._received)

    def __enter__(self) -> _SignalForwarder:
        self._before = {number: signal.signal(number, self._forward) for number in _FORWARDED}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def add(self, process: subprocess.Popen[bytes]) -> None:
        """Forward signals to a process, too: those from now on and those received."""
        before = len(self._received)
        self._processes.append(process)
        for number in self._received[:before]:
            _send(process, number)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        self._received.append(number)
        for process in self._processes:
            _send(process, number)


def _send(process: subprocess.Popen[bytes], number: int) -> None:
    if process.returncode is None:
        # When the terminal is closed the run has to save a checkpoint, which it does on SIGTERM.
        process.send_signal(signal.SIGTERM if number == signal.SIGHUP else number)
