"""Recorders: what records the operations of a step, to replay them on the same memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias
from weakref import WeakSet

import torch
from torch import Tensor

Work: TypeAlias = Callable[[], Tensor]


class Recorder(Protocol):
    """Protocol of what records work on a device.

    Recorded work reads and writes the same tensors each time, and numbers of the host are those of the first time.

    Attributes:
        trial_steps: Steps that are timed as they are written, and again as many that are timed as recorded.
    """

    trial_steps: int

    def warm_up(self, work: Work) -> Tensor:
        """Do work as it is written, in a way that prepares for recording it."""

    def record(self, work: Work) -> tuple[Tensor, Work]:
        """Do work once and record it.

        Returns:
            Its result, and what does the same work again.

        Raises:
            RuntimeError: It cannot be recorded; nothing was done.
        """

    def milliseconds(self, work: Work) -> tuple[Tensor, float]:
        """Do work, and measure the time until the device has finished."""


def recorder_for(device: torch.device) -> Recorder | None:
    """Return the recorder of a device; None where nothing is gained by one."""
    return CudaGraphs(device) if device.type == "cuda" else None


class CudaGraphs:
    """Recorder of CUDA graphs, which launch all kernels of a step at once (CUDA C++ Programming Guide, CUDA Graphs).

    All graphs use the same memory for what they compute in between: they run one at a time, and keep nothing there.

    Args:
        device: The GPU.
    """

    trial_steps = 10

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._graphs: WeakSet[torch.cuda.CUDAGraph] = WeakSet()
        self._pool = torch.cuda.graph_pool_handle()
        self._side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def warm_up(self, work: Work) -> Tensor:
        """Do work on another stream than the default one, as recording does."""
        current = torch.cuda.current_stream(self._device)
        self._side.wait_stream(current)
        with torch.cuda.stream(self._side):
            result = work()
        current.wait_stream(self._side)
        result.record_stream(current)
        return result

    def record(self, work: Work) -> tuple[Tensor, Work]:
        """Capture a graph, and launch it."""
        graph = torch.cuda.CUDAGraph()
        if not self._graphs:  # PyTorch frees a pool with its last graph, and refuses to use it again
            self._pool = torch.cuda.graph_pool_handle()
        # Only this thread's calls are captured: another one prepares batches meanwhile.
        with torch.cuda.graph(graph, pool=self._pool, stream=self._side, capture_error_mode="thread_local"):
            output = work()
        self._graphs.add(graph)

        def replay() -> Tensor:
            graph.replay()
            return output.clone()

        return replay(), replay

    def milliseconds(self, work: Work) -> tuple[Tensor, float]:
        """Measure between two events, once the device has nothing else to do."""
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        torch.cuda.synchronize(self._device)
        begin.record()
        result = work()
        end.record()
        end.synchronize()
        return result, float(begin.elapsed_time(end))
