"""What a training step asks of the device: operators, launches, reads by the host, and how long the device is idle."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from bench.gpu.attempt import attempt
from bench.gpu.networks import (
    FEATURES,
    FUSED,
    PROPERTIES,
    RECORDED,
    further,
    networks,
    prepared,
)
from bench.gpu.record.rows import Network, ProfileRow, Row
from bench.gpu.sections.trace import Trace, read_trace
from bench.gpu.setting import Setting
from bench.gpu.store import PackedData
from bench.gpu.timing import measure, synchronize

STEPS = 3


def profiling(setting: Setting) -> Iterator[Row]:
    """Profile every network, and recorded steps on the smallest batches; one that fails leaves the others."""
    data = setting.store.data(PROPERTIES)
    plain = [n.model_copy(update={"feature": feature}) for feature in FEATURES for n in networks()]
    for row in [*plain, *further((RECORDED, *FUSED), data, setting.device())]:
        yield from attempt(f"profile of {row.title}", partial(profiled, row, data, setting))


def profiled(network: Network, data: PackedData, setting: Setting) -> Iterator[ProfileRow]:
    """Time steps without the profiler, which slows the host, and count what a few more do with it."""
    device = setting.device()
    learner, _, first = prepared(network, data, setting)
    batches = itertools.cycle(first)
    (step_ms,) = measure([lambda: learner.step(next(batches))], device, setting)
    steps = 1 if setting.quick else STEPS
    trace = traced(lambda: learner.step(next(batches)), device, steps)
    on_gpu = device.type == "cuda"
    busy_ms = trace.busy_ms / steps if on_gpu else None
    if busy_ms == 0:
        raise RuntimeError("The profiler saw no kernel: it may not watch this GPU.")
    yield ProfileRow(
        network=network,
        steps=steps,
        step_ms=step_ms.median,
        operators=trace.operators / steps,
        launches=trace.launches / steps if on_gpu else None,
        host_reads=trace.host_reads / steps,
        synchronisations=trace.synchronisations / steps if on_gpu else None,
        busy_ms=busy_ms,
        idle_share=None if busy_ms is None else max(0.0, 1 - busy_ms / step_ms.median),
    )


def traced(step: Callable[[], object], device: torch.device, steps: int) -> Trace:
    """Run steps under the profiler; the wait for the device at the end is outside of it, and its events are not."""
    activities = [ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    synchronize(device)
    with profile(activities=activities) as profiler:
        for _ in range(steps):
            step()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        return read_trace(path)
