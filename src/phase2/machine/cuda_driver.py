"""What the NVIDIA driver says of itself and of its GPUs, without a library that is built for CUDA."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

_LIBRARY = "libcuda.so.1"
_COMPUTE_MODE = 20  # CU_DEVICE_ATTRIBUTE_COMPUTE_MODE of cuda.h
_MODES = {0: "default", 2: "prohibited", 3: "exclusive process"}


class DriverAnswer(NamedTuple):
    """Answer of the driver.

    Attributes:
        cuda: Newest CUDA version that it runs, as (13, 0).
        compute_modes: By device: ``default``, ``prohibited`` or ``exclusive process``.
    """

    cuda: tuple[int, int]
    compute_modes: tuple[str, ...]


def ask_driver() -> DriverAnswer | None:
    """Ask the driver of this machine; None where there is none."""
    try:
        driver = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    version, count = ctypes.c_int(), ctypes.c_int()
    if driver.cuDriverGetVersion(ctypes.byref(version)):
        return None
    cuda = (version.value // 1000, version.value % 1000 // 10)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return DriverAnswer(cuda, ())
    return DriverAnswer(cuda, tuple(_compute_mode(driver, index) for index in range(count.value)))


def _compute_mode(driver: ctypes.CDLL, index: int) -> str:
    device, mode = ctypes.c_int(), ctypes.c_int()
    if driver.cuDeviceGet(ctypes.byref(device), index) or driver.cuDeviceGetAttribute(
        ctypes.byref(mode), _COMPUTE_MODE, device
    ):
        return "unknown"
    return _MODES.get(mode.value, f"{mode.value}")
