"""The processes that train one run together, each on a share of every batch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed, nn
from torch.distributed.rendezvous import rendezvous

from phase2.errors import Phase2Error, RequestError, TransientError
from phase2.machine.rank import Rank
from phase2.training.parallel.gradients import share_model
from phase2.training.parallel.watch import OnLost, PeerWatch

# Longer than graphs take to build while the others wait; a training that hangs is ended by the stall detector.
_PATIENCE = timedelta(days=7)


class WorkerGroup:
    """The processes of one run; the first of them leads: it alone writes, and decides where the others need to agree.

    Of a process that trains alone every method is the identity.

    Args:
        rank: Number of this process.
        device: Device that it computes on.
    """

    def __init__(self, rank: Rank | None = None, device: torch.device | None = None) -> None:
        self.rank = rank or Rank()
        self._device = device or torch.device("cpu")
        self._watch: PeerWatch | None = None

    @property
    def size(self) -> int:
        """Number of processes."""
        return self.rank.processes

    @property
    def is_first(self) -> bool:
        """Whether this process leads."""
        return self.rank.is_first

    def join(self, on_lost: OnLost | None = None, *, patience: timedelta | None = None) -> None:
        """Meet the other processes.

        Args:
            on_lost: Receives the error, in another thread, when a machine is lost and nothing else would say so.
            patience: Longest time to wait for them; None is as long as a run may take.

        Raises:
            RequestError: They have not come in that time.
            TransientError: One of them has ended meanwhile.
        """
        if self.size > 1:
            if self._device.type == "cuda":
                torch.cuda.set_device(self._device)
            # What the processes agree on is on the CPU, so that no GPU waits for it.
            backend = "cpu:gloo,cuda:nccl" if self._device.type == "cuda" else "gloo"
            with lost_process():
                distributed.init_process_group(
                    backend,
                    store=self._met(patience or _PATIENCE),
                    rank=self.rank.number,
                    world_size=self.size,
                    timeout=_PATIENCE,
                )
            if on_lost is not None:
                self._watch_others(PeerWatch(on_lost))

    def _met(self, patience: timedelta) -> Any:  # torch exports no type of a store
        """Return the store of the group, once all have come."""
        host = f"[{self.rank.address}]" if ":" in self.rank.address else self.rank.address
        address, started = f"tcp://{host}:{self.rank.port}", time.monotonic()
        try:
            store, _, _ = next(rendezvous(address, self.rank.number, self.size, timeout=patience))
        except distributed.DistError as error:
            if time.monotonic() - started < patience.total_seconds():
                raise
            raise RequestError(
                f"The {self.size} processes of this run have not met within {patience.total_seconds() / 60:g} minutes.",
                why="They train it together, and each waited for the others that long.",
                fix="See which pod has not started and why (phase2 status), then submit again; the run continues.",
            ) from error
        store.set_timeout(_PATIENCE)
        return store

    def leave(self) -> None:
        """Leave the others: the first process goes on alone, and they end."""
        if self._watch is not None:
            self._watch.close()
        if self.size > 1 and distributed.is_initialized():
            distributed.destroy_process_group()
            if self.is_first:
                self.rank = Rank()

    def tell(self, error: Phase2Error) -> None:
        """Tell the processes that this one is connected with why it ends, where another try would end alike."""
        if self._watch is not None:
            self._watch.tell(error)

    def told_error(self) -> Phase2Error | None:
        """Return why the process ended that this one has lost; None where it did not say, and may be started again."""
        return None if self._watch is None else self._watch.told()

    def share(self, model: nn.Module) -> nn.Module:
        """Wrap a model so that its gradients are summed over the processes in the backward pass."""
        return share_model(model) if self.size > 1 else model

    def any(self, flag: bool) -> bool:  # noqa: FBT001
        """Whether the flag is set in any process; all find out in the same step."""
        if self.size == 1:
            return flag
        flags = torch.tensor([flag], dtype=torch.int32)
        distributed.all_reduce(flags)
        return bool(flags.item())

    def same(self, value: float) -> float:
        """Return the value of the first process, so that what depends on it is decided alike."""
        if self.size == 1:
            return value
        held = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(held, src=0)
        return held.item()

    def send(self, content: bytes) -> bytes:
        """Return the content that the first process gives; what the others give is ignored.

        Raises:
            TransientError: Another process has ended.
        """
        if self.size == 1:
            return content
        with lost_process():
            return self._sent(content)

    def dismiss(self) -> None:
        """Tell the others, which wait for a run to train, that there is none."""
        if self.size > 1:
            self.send(b"")
            self.leave()

    def _watch_others(self, watch: PeerWatch) -> None:
        given = self.send(watch.listen(self.size) if self.is_first else b"")
        if not self.is_first:
            watch.connect(self.rank.address, given)
        self._watch = watch

    def _sent(self, content: bytes) -> bytes:
        length = torch.tensor([len(content)])
        distributed.broadcast(length, src=0)
        if not length.item():
            return b""
        data = torch.frombuffer(bytearray(content), dtype=torch.uint8) if self.is_first else None
        held = torch.empty(int(length.item()), dtype=torch.uint8) if data is None else data
        distributed.broadcast(held, src=0)
        return held.numpy().tobytes()

    def combined(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Combine arrays in which each process has filled its own rows, and left the others 0."""
        if self.size == 1:
            return rows
        total = torch.from_numpy(rows)
        distributed.all_reduce(total)
        return total.numpy()


@contextmanager
def lost_process() -> Iterator[None]:
    """Explain that another process has ended, where that ends what this one waits for.

    Raises:
        TransientError: It has.
    """
    try:
        yield
    except RuntimeError as error:
        if not _is_lost(error):
            raise
        raise TransientError(
            "Another process of this run has ended, or cannot be reached.",
            why=f"{str(error).splitlines()[0]}.",
            fix="See what it said last, then run the same command with --resume.",
        ) from error


def _is_lost(error: RuntimeError) -> bool:
    # torch raises plain errors where gloo does: both name the transport that broke.
    is_of_torch = isinstance(error, distributed.DistError)
    return is_of_torch or any(word in str(error) for word in ("gloo", "Connection", "NCCL"))
