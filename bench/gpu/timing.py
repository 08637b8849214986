"""Clock of the device: how long repeated work takes until the device has finished."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from bench.gpu.record.rows import Spread
from bench.gpu.setting import Setting

WARM_UP = 5  # calls: PyTorch compiles and allocates in the first ones


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def elapsed_ms(work: Callable[[], object], device: torch.device, calls: int) -> float:
    """Measure the time per call, milliseconds: on a GPU between two events, else on the clock."""
    if device.type == "cuda":
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(calls):
            work()
        end.record()
        end.synchronize()
        return float(begin.elapsed_time(end)) / calls
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return 1e3 * (time.perf_counter() - start) / calls


def measure(works: Sequence[Callable[[], object]], device: torch.device, setting: Setting) -> list[Spread]:
    """Measure the time per call of some works in turn, milliseconds, so that a busy machine slows all alike.

    The number of calls of one measurement is chosen so that all repeats of one work take about the time of the setting.
    """
    share = 1e3 * setting.seconds / setting.repeats
    counts = [1 if setting.quick else _calls(work, device, share) for work in works]
    times: list[list[float]] = [[] for _ in works]
    for _ in range(setting.repeats):
        for work, calls, values in zip(works, counts, times, strict=True):
            values.append(elapsed_ms(work, device, calls))
    return [Spread.of(values) for values in times]


def _calls(work: Callable[[], object], device: torch.device, milliseconds: float) -> int:
    """Warm up, and return how many calls take about this time."""
    elapsed_ms(work, device, WARM_UP)
    return max(1, math.ceil(milliseconds / max(elapsed_ms(work, device, 2), 1e-3)))


def optimizer_share(step: Callable[[], object], device: torch.device, steps: int) -> float:
    """Measure the share of the optimiser in training steps, each part timed until the device had finished."""
    with _optimizer_clock(device) as spent:
        synchronize(device)
        start = time.perf_counter()
        for _ in range(steps):
            step()
        synchronize(device)
        whole = time.perf_counter() - start
    return sum(spent) / whole


@contextmanager
def _optimizer_clock(device: torch.device) -> Iterator[list[float]]:
    """Collect the seconds of each step of any optimiser; one that calls another's step counts once."""
    begun: list[float] = []
    spent: list[float] = []

    def before(*_: object) -> None:
        synchronize(device)
        begun.append(time.perf_counter())

    def after(*_: object) -> None:
        synchronize(device)
        start = begun.pop()
        if not begun:
            spent.append(time.perf_counter() - start)

    hooks = (register_optimizer_step_pre_hook(before), register_optimizer_step_post_hook(after))
    try:
        yield spent
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def peak_memory(device: torch.device) -> Iterator[Callable[[], int | None]]:
    """Yield a function that returns the most memory that PyTorch has allocated since; None on the CPU, bytes."""
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
        yield lambda: int(torch.cuda.max_memory_allocated(device))
    else:
        yield lambda: None
