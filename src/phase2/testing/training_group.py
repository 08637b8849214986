"""Small trainings by one process or by several that share each batch, in real processes."""

from __future__ import annotations

import multiprocessing
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import torch

from phase2.config.schema import EquivariantConfig, FineTuningConfig
from phase2.errors import PreemptedError
from phase2.machine.rank import rank_of_process
from phase2.testing.tiny_training import tiny_config, tiny_data
from phase2.training.callbacks.base import Callback, StepEnd
from phase2.training.checkpoints.writer import CheckpointSchedule
from phase2.training.interruption import StopRequest
from phase2.training.parallel.group import WorkerGroup
from phase2.training.result import TrainingFiles
from phase2.training.trainer import Trainer

TINY_E3NN = EquivariantConfig(
    size="small",
    channels=(8, 4),
    layers=2,
    radial_hidden=8,
    trunk=8,
    second_order=2,
    atom_hidden=4,
    element_pairs=True,
    feed_forward=True,
)
THAWED = FineTuningConfig(source="tiny", sha256="0" * 64, unfreeze_epoch=2, backbone_lr=0.5)
STOPPED = 143


class _StopAfter(Callback):
    """Asks this process to stop after a step, and notes each step in a file of its own."""

    def __init__(self, stop: StopRequest, step: int, notes: Path) -> None:
        self._stop = stop
        self._step = step
        self._notes = notes

    def on_step_end(self, event: StepEnd) -> None:
        """Note the step."""
        with self._notes.open("a", encoding="utf-8") as file:
            file.write(f"{event.step} {event.crystals}\n")
        if event.step == self._step:
            self._stop.request("a test")


def train_member(
    folder: Path, network: str, stop_at: int, stop_rank: int, *, thaws: bool, settings: dict[str, object]
) -> None:
    """Train in this process, as the variables of torchrun say: alone, first, or with the first."""
    torch.set_num_threads(1)
    config = tiny_config(**settings)
    if network == "e3nn":
        config = config.model_copy(update={"model": TINY_E3NN})
    if thaws:
        config = config.model_copy(update={"fine_tuning": THAWED})
    group, stop = WorkerGroup(rank_of_process()), StopRequest()
    number = group.rank.number
    group.join()
    trainer = Trainer(
        config,
        tiny_data(),
        files_in(folder),
        run_id="run_1",
        callback=_StopAfter(stop, stop_at if number == stop_rank else 0, folder / f"steps-{number}"),
        schedule=CheckpointSchedule(share=1.0),
        group=group,
    )
    try:
        if group.is_first:
            if files_in(folder).checkpoint.exists():
                trainer.resume()
            trainer.fit(stop)
        else:
            trainer.follow(stop)
    except PreemptedError:
        raise SystemExit(STOPPED) from None


def files_in(folder: Path) -> TrainingFiles:
    """Return the files of a training in a folder."""
    return TrainingFiles(folder / "best.pt", folder / "checkpoint.pt", folder / "before.pt", folder / "history.json")


def train_together(
    folder: Path,
    processes: int,
    *,
    network: str = "cgcnn",
    stop_at: int = 0,
    stop_rank: int = 0,
    thaws: bool = False,
    **settings: object,
) -> list[int]:
    """Train to the end, or until step ``stop_at``, and return the exit code of each process.

    Args:
        folder: Holds the files of the training; one that has a checkpoint is continued.
        processes: Processes that share each batch.
        network: ``cgcnn`` or ``e3nn``.
        stop_at: Step after which the process ``stop_rank`` asks to stop; 0 for none.
        stop_rank: Number of that process.
        thaws: Whether the backbone is frozen in the first epoch.
        **settings: Training settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with started(processes, train_member, folder, network, stop_at, stop_rank, thaws=thaws, settings=settings) as all_:
        for process in all_:
            process.join(200)
        return [process.exitcode if process.exitcode is not None else -1 for process in all_]


@contextmanager
def started(
    processes: int, target: object, *arguments: object, **keywords: object
) -> Iterator[list[ForkServerProcess]]:
    """Start a function in so many processes, with the variables that torchrun sets; those still there end with it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    port = str(_free_port())
    members = []
    for number in range(processes):
        variables = {
            "RANK": str(number),
            "WORLD_SIZE": str(processes),
            "LOCAL_RANK": str(number),
            "LOCAL_WORLD_SIZE": str(processes),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
        }
        members.append(context.Process(target=_with_variables, args=(variables, target, arguments, keywords)))
    for process in members:
        process.start()
    try:
        yield members
    finally:
        for process in members:
            process.kill()
            process.join()


def _with_variables(variables: dict[str, str], target: object, arguments: tuple, keywords: dict) -> None:  # type: ignore[type-arg]
    os.environ.update(variables)
    target(*arguments, **keywords)  # type: ignore[operator]


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
