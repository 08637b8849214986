"""The other processes of a run that several train: each joins the first, and trains its share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING

from phase2.cli.console import note
from phase2.cli.process.boundary import abort_process
from phase2.cli.process.explanation import explain
from phase2.config.settings import join_minutes, stays_with_run
from phase2.errors import PreemptedError, TransientError
from phase2.machine.rank import rank_of_process

if TYPE_CHECKING:
    from phase2.cli.training.processes import Processes
    from phase2.storage.base import Store
    from phase2.training.parallel.group import WorkerGroup


def follow(members: Processes, workers: int | None, place: Store | None, is_closed: Callable[[], bool]) -> None:
    """Train as one of several processes with the first one, which alone reports and writes.

    On the machine of the first one this process ends with its share. Another pod stays while the first one closes the
    run: of a pod that has ended well Kubernetes starts no other, and the first one could not resume without it.

    Args:
        members: The processes of the run.
        workers: Processes that read crystals.
        place: Store of the run, if there is one.
        is_closed: Whether the run is finished in that store.

    Raises:
        PreemptedError: A pod was asked to stop.
        TransientError: The first process has ended.
    """
    from phase2.training.interruption import SignalStopRequest
    from phase2.training.parallel.stay import stay
    from phase2.training.run.experiment import RunContext
    from phase2.training.run.follow import follow_run

    rank = rank_of_process()
    stays = stays_with_run() and not rank.is_beside_first
    if rank.spans_machines and is_closed():
        note("the run is finished already")
        return
    with SignalStopRequest() as stop:
        device = members.own_device()
        context = RunContext(workers=workers, store=place, device=device, stop=stop, group=joined(device))
        # The first process ends with the exit code of a stop, once it has saved.
        with nullcontext() if stays else suppress(PreemptedError), errors_shared(context.group):
            follow_run(context)
        if stays:
            if rank.local == 0:
                note("trained its share; stays until the run is closed")
            stay(rank.address, rank.port, is_closed)


def joined(device: str) -> WorkerGroup:
    """Return the processes of this run, once they have met."""
    from phase2.models.device import choose_device
    from phase2.training.parallel.group import WorkerGroup

    group = WorkerGroup(rank_of_process(), choose_device(device))
    minutes = join_minutes()
    if group.rank.spans_machines:
        patience = None if minutes is None else timedelta(minutes=minutes)
        _interruptibly(partial(group.join, abort_process, patience=patience))
    else:
        group.join()
    return group


@contextmanager
def errors_shared(group: WorkerGroup) -> Iterator[None]:
    """Tell the others of an error that another try would not cure, and raise the one that they tell.

    Without this the others would be started again, and wait for a process that never comes.
    """
    try:
        yield
    except PreemptedError:
        raise
    except Exception as error:
        explained = explain(error)
        if not isinstance(explained, TransientError):
            group.tell(explained)
            raise
        told = group.told_error()
        if told is None:
            raise
        raise told from error


def _interruptibly(work: Callable[[], None]) -> None:
    """Run what torch lets no signal interrupt in another thread, so that a stop ends this process at once."""
    done: Future[None] = Future()

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised in the main thread
            done.set_exception(error)
        else:
            done.set_result(None)

    Thread(target=run, daemon=True, name="join").start()
    done.result()
