"""The hardware of a run: processor, cores, threads, memory, GPU."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path

from pydantic import Field

from phase2.machine.cgroup import cpu_limit, memory_limit
from phase2.storage.records import Counted, Record

THREADS_VARIABLE = "OMP_NUM_THREADS"


def _is_none(value: object) -> bool:
    return value is None


class Hardware(Record):
    """The hardware of a run.

    Attributes:
        cpu: Model of the processor.
        cores: Cores available to the run, by CPU affinity and container limit.
        memory_bytes: Memory available to the run.
        gpu: Model of the GPU; null without one.
        threads: Threads that the run computed with; null in manifests of earlier versions.
        platform: Operating system and architecture.
        processes: Processes that trained the run together, each with such a GPU or these threads; left out where it
            was one.
    """

    cpu: str
    cores: float
    memory_bytes: Counted | None
    gpu: str | None
    threads: Counted | None = None
    platform: str
    processes: Counted | None = Field(default=None, exclude_if=_is_none)


def detect_hardware(*, gpu: str | None = None, processes: int = 1) -> Hardware:
    """Read the hardware of this machine, as far as this process may use it.

    Args:
        gpu: Model of the GPU, if the run uses one; detecting it needs torch, which this package must not import.
        processes: Processes that trained the run together.
    """
    return Hardware(
        cpu=cpu_model(),
        cores=available_cores(),
        memory_bytes=_memory(),
        gpu=gpu,
        threads=thread_count(),
        platform=f"{platform.system()} {platform.machine()}",
        processes=processes if processes > 1 else None,
    )


def available_cores() -> float:
    """Return the number of cores available to this process, by CPU affinity and container limit."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(float(allowed), cpu_limit() or float("inf"))


def thread_count() -> int:
    """Return the number of threads to compute with: ``$OMP_NUM_THREADS``, or one per available core.

    One thread per core of a large node would wait for the few cores that a container's CPU limit allows.
    """
    wanted = os.environ.get(THREADS_VARIABLE, "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    return math.ceil(available_cores())


def cpu_model() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return memory_limit()
    return min(installed, memory_limit() or installed)
