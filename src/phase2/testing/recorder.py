"""Recorder of operations on the CPU, which keeps them as a CUDA graph does: on the same memory, without the host."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from phase2.models.recording.recorder import Recorder, Work


class OperationRecorder:
    """Recorder on the CPU, for checks of what is recorded; it gains nothing.

    Args:
        clock: Tells the time of :meth:`milliseconds`, seconds.
    """

    trial_steps = 2

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock

    def warm_up(self, work: Work) -> Tensor:
        """Do work."""
        return work()

    def record(self, work: Work) -> tuple[Tensor, Work]:
        """Do work, and keep each operation with the tensors that it read and wrote."""
        with _Operations() as operations:
            output = work()
        return output.clone(), lambda: operations.replay(output)

    def milliseconds(self, work: Work) -> tuple[Tensor, float]:
        """Measure on the clock."""
        begin = self._clock()
        result = work()
        return result, 1e3 * (self._clock() - begin)


class ForcedRecorder:
    """Recorder whose trial always, or never, finds recorded steps faster.

    Args:
        recorder: What records.
        gain: How many times faster they are said to be.

    Attributes:
        recorded: How often something was recorded.
    """

    trial_steps = 2

    def __init__(self, recorder: Recorder, gain: float = 2.0) -> None:
        self._recorder = recorder
        self._gain = gain
        self.recorded = 0

    def warm_up(self, work: Work) -> Tensor:
        """Do as the recorder does."""
        return self._recorder.warm_up(work)

    def record(self, work: Work) -> tuple[Tensor, Work]:
        """Do as the recorder does, and count it."""
        result = self._recorder.record(work)
        self.recorded += 1
        return result

    def milliseconds(self, work: Work) -> tuple[Tensor, float]:
        """Do work, and tell the time that decides."""
        return work(), 1.0 if self.recorded else self._gain


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._calls: list[tuple[Any, Any, dict[str, Any], list[Any]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        output = func(*args, **(kwargs or {}))
        # Views, since a later operation may squeeze the tensor itself.
        kept = [leaf.view_as(leaf) if isinstance(leaf, Tensor) else leaf for leaf in tree_leaves(output)]
        self._calls.append((func, args, kwargs or {}, kept))
        return output

    @torch.no_grad()
    def replay(self, output: Tensor) -> Tensor:
        for func, args, kwargs, kept in self._calls:
            for old, new in zip(kept, tree_leaves(func(*args, **kwargs)), strict=True):
                if isinstance(old, Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)
        return output.clone()
