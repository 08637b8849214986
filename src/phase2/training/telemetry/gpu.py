"""Use of the GPU that a run trains on, read from the driver and PyTorch's allocator without waiting for the GPU."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GpuUsage:
    """Use of one GPU; None where the driver does not say, as for a slice of a GPU (MIG).

    Attributes:
        utilization: Share of the last second or so in which it computed, 0 to 1.
        used_bytes: Memory in use, by all processes.
        total_bytes: Its memory.
        allocated_bytes: Memory of this process' tensors.
        reserved_bytes: Memory that PyTorch holds for them.
    """

    utilization: float | None
    used_bytes: int | None
    total_bytes: int
    allocated_bytes: int
    reserved_bytes: int


def gpu_usage(device: str) -> GpuUsage | None:
    """Read the use of a device; None unless it is a GPU.

    Args:
        device: ``cpu`` or ``cuda:0``, on which this process computes already.
    """
    if not device.startswith("cuda"):
        return None
    import torch

    percent = _from_driver(lambda: torch.cuda.utilization(device))
    return GpuUsage(
        utilization=None if percent is None else percent / 100,
        used_bytes=_from_driver(lambda: torch.cuda.device_memory_used(device)),
        total_bytes=torch.cuda.get_device_properties(device).total_memory,
        allocated_bytes=torch.cuda.memory_allocated(device),
        reserved_bytes=torch.cuda.memory_reserved(device),
    )


def _from_driver(read: Callable[[], int]) -> int | None:
    """Return what the driver says; None where it does not: no NVML, or a slice of a GPU."""
    import pynvml

    with suppress(pynvml.NVMLError, ModuleNotFoundError, RuntimeError):  # torch raises the last for a device NVML hides
        return read()
    return None
