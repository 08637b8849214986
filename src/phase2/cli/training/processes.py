"""``phase2 train`` in several processes of this machine, started by torch's elastic launcher."""

from __future__ import annotations

import logging
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from phase2.cli.process.failure import LAUNCH_PREFIX, read_failures
from phase2.config.settings import GPUS_VARIABLE, reserved_gpus
from phase2.errors import Phase2Error, PreemptedError, RequestError, TransientError
from phase2.machine.rank import rank_of_process

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

GpusOption = Annotated[
    int | None,
    typer.Option(
        "--gpus",
        help="Train on so many GPUs of this machine, each with a share of every batch.",
        min=0,
        envvar=GPUS_VARIABLE,
        show_envvar=False,
    ),
]
ProcessesOption = Annotated[
    int | None,
    typer.Option("--processes", help="Train on the CPU in so many processes, which share every batch.", min=1),
]

_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_SAVING_SECONDS = "3600"  # the orchestrator's grace period is shorter; torch's own would cut an upload off


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes that train a run together.

    Attributes:
        gpus: GPUs of this machine, one for each process; None was not given.
        processes: Processes on the CPU; None was not given.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:1``, as given.

    Raises:
        RequestError: They contradict each other, or what torchrun started.
    """

    gpus: int | None
    processes: int | None
    device: str

    def __post_init__(self) -> None:
        if self.gpus is not None and self.processes is not None:
            raise RequestError(
                "--gpus and --processes exclude each other.",
                why="Each GPU has one process; --processes is for the CPU.",
                fix="Drop one.",
            )
        fitting = ("auto", "cpu") if self.processes is not None or self.gpus == 0 else ("auto", "cuda")
        if (self.gpus is not None or self.processes is not None) and self.device not in fitting:
            option = "--gpus" if self.gpus is not None else "--processes"
            raise RequestError(
                f"{option} and --device {self.device} contradict each other.",
                why=f"{option} says on which device each process computes.",
                fix="Drop one.",
            )
        here = rank_of_process()
        if here.launched and self.asked not in {None, here.local_processes}:
            raise RequestError(
                f"{self.asked} processes are asked for, and torchrun started {here.local_processes} on this machine.",
                why="Under torchrun its --nproc-per-node decides.",
                fix="Drop --gpus or --processes, or run phase2 without torchrun.",
            )

    @property
    def asked(self) -> int | None:
        """Processes on this machine, as the options say; None where they do not."""
        return self.processes if self.gpus is None else max(1, self.gpus)

    @property
    def to_start(self) -> int:
        """Processes that this one has to start; 0 where it trains itself, alone or as one of those that were."""
        return self.asked if self.asked is not None and self.asked > 1 and not rank_of_process().launched else 0

    def own_device(self) -> str:
        """Return the device of this process.

        Raises:
            RequestError: This machine has fewer GPUs than processes.
        """
        rank = rank_of_process()
        if self.processes is not None or self.gpus == 0:
            return "cpu"
        if not rank.launched:
            refuse_missing_gpus(self.gpus or 0)
            return "cuda" if self.gpus else self.device
        if self.device.startswith("cuda:"):
            raise RequestError(
                f"--device {self.device} names one GPU for {rank.local_processes} processes.",
                why="Each process has a GPU of its own.",
                fix="Drop it, and choose GPUs by CUDA_VISIBLE_DEVICES.",
            )
        if self.device == "cpu" or (self.device == "auto" and not self.gpus and not _gpus_here()):
            return "cpu"
        refuse_missing_gpus(rank.local_processes)
        return f"cuda:{rank.local}"


def refuse_missing_gpus(wanted: int) -> None:
    """Refuse more GPUs than this machine has.

    Raises:
        RequestError: It has fewer.
        TransientError: It has fewer than a pod reserves: that of another node may have them.
    """
    here = _gpus_here() if wanted else 0
    if wanted > here and wanted <= reserved_gpus():
        raise TransientError(
            f"This pod reserves {wanted} GPU{'s' if wanted > 1 else ''}, and torch can use {here or 'none'}.",
            why="The driver or the device plugin of its node is at fault, or the image has a torch for CPUs.",
            fix="Another attempt may get another node; 'phase2 doctor' in such a pod says what is missing.",
        )
    if wanted > here:
        raise RequestError(
            f"{wanted} GPU{'s are' if wanted > 1 else ' is'} asked for, and this machine has {here or 'none'}.",
            why="Each process trains on a GPU of its own, as far as torch can use it (CUDA_VISIBLE_DEVICES).",
            fix=f"Give --gpus {here}." if here else "Give --processes to train in several processes on the CPU.",
        )


def launch(processes: int) -> None:
    """Run this command again in so many processes, and wait for them.

    Raises:
        Phase2Error: The error of the process that failed first; the others were ended.
    """
    _set_environment(processes)
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)  # this command reports what happened
    with TemporaryDirectory(prefix="phase2-processes-") as folder, _handlers_restored():
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            run_id=f"{LAUNCH_PREFIX}{uuid.uuid4().hex}",
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            local_addr="localhost",
            max_restarts=0,
            logs_specs=DefaultLogsSpecs(log_dir=folder),
        )
        try:
            elastic_launch(config, sys.executable)(*sys.orig_argv[1:])
        except ChildFailedError as error:
            raise _root_error(error.failures, Path(folder)) from error
        except SignalException as error:
            raise _stopped(error.sigval, Path(folder)) from error


def _root_error(failures: dict[int, ProcessFailure], folder: Path) -> Phase2Error:
    """Return the error of the process that ended the others."""
    killed = [(rank, -one.exitcode) for rank, one in failures.items() if one.exitcode < 0]
    for rank, number in killed:
        if number != signal.SIGTERM:  # which the launcher sends to the others
            return TransientError(
                f"Process {rank} of the run was ended by {signal.Signals(number).name}.",
                why="The system does that where memory runs out, and the others cannot go on without it.",
                fix="Give it more memory or fewer processes, then run the same command with --resume.",
            )
    found = read_failures(folder)
    if found:
        return found[0].error
    codes = ", ".join(f"{rank}: {one.exitcode}" for rank, one in sorted(failures.items()))
    return Phase2Error(
        f"The processes of the run ended with an error (exit codes: {codes}).",
        fix="See what they printed; run again with --debug.",
    )


def _stopped(number: signal.Signals, folder: Path) -> Phase2Error:
    """Return the error of the first process, which knows what was saved."""
    found = sorted(read_failures(folder), key=lambda failure: failure.rank)
    if found:
        return found[0].error
    return PreemptedError(
        f"Stopped by {number.name}.",
        why="What was saved until then is intact.",
        fix="Run the same command with --resume; without a checkpoint, run it again.",
    )


@contextmanager
def _handlers_restored() -> Iterator[None]:
    """Restore the signal handlers after torch's launcher has set its own."""
    before = {number: signal.getsignal(number) for number in _HANDLED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _set_environment(processes: int) -> None:
    """Set what the processes inherit, where the user has not."""
    from phase2.machine.hardware import THREADS_VARIABLE, available_cores

    given = os.environ.get(THREADS_VARIABLE, "")
    if not given:
        os.environ[THREADS_VARIABLE] = str(max(1, int(available_cores()) // processes))
    elif reserved_gpus() and given.isdecimal():  # of a pod, which all of its processes share
        os.environ[THREADS_VARIABLE] = str(max(1, int(given) // processes))
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", _SAVING_SECONDS)
    os.environ.setdefault("LOGLEVEL", "CRITICAL")  # of torch's launcher alone
    if not rank_of_process().spans_machines:  # no other machine can connect, and no host name has to be known
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo" if sys.platform == "linux" else "lo0")


def _gpus_here() -> int:
    from phase2.models.device import available_devices

    return len(available_devices()) - 1
