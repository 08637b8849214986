"""Check of the cores, threads and memory that this process may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from phase2.diagnosis.finding import Finding, Problem, format_size
from phase2.machine import cgroup
from phase2.machine.hardware import THREADS_VARIABLE, available_cores, detect_hardware, thread_count
from phase2.machine.memory import BASE, LIBRARIES

_SHARED = Path("/dev/shm")  # noqa: S108 - read, not written


def check_machine() -> Iterator[Finding]:
    """Check the resources of the machine, and the limits of the container."""
    here = detect_hardware()
    limit = cgroup.cpu_limit()
    yield Finding("machine", "processor", f"{here.cpu}, {os.cpu_count()} cores, {here.platform}")
    yield Finding("machine", "CPU limit", "none" if limit is None else f"{limit:g} cores")
    yield Finding("machine", "threads", f"{thread_count()}", too_many_threads(thread_count(), available_cores()))
    memory = cgroup.memory_limit()
    yield Finding("machine", "memory", format_size(here.memory_bytes) if here.memory_bytes else "-")
    yield Finding(
        "machine", "memory limit", "none" if memory is None else format_size(memory), too_little_memory(memory)
    )
    yield check_shared_memory(_SHARED)


def too_many_threads(wanted: int, allowed: float) -> Problem | None:
    """Return a problem if there are more threads than cores."""
    if wanted < allowed + 1:
        return None
    return Problem(
        f"{wanted} threads share {allowed:g} cores.",
        f"{THREADS_VARIABLE} sets them; they would mostly wait for each other.",
        f"Unset {THREADS_VARIABLE}: the number of threads then follows the limit.",
    )


def too_little_memory(limit: int | None) -> Problem | None:
    """Return a problem if a limit is too low for the smallest run."""
    if limit is None or limit >= BASE + LIBRARIES:
        return None
    return Problem(
        f"The memory limit of {format_size(limit)} is too low for any training.",
        f"The smallest run needs about {format_size(BASE + LIBRARIES)}, and is killed otherwise (exit code 137).",
        "Raise the limit.",
        2,
    )


def check_shared_memory(folder: Path) -> Finding:
    """Check the folder in which the processes that build graphs share their locks."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        free = None
    if free is not None and os.access(folder, os.W_OK):
        return Finding("machine", str(folder), f"{format_size(free)} free")
    problem = Problem(
        f"{folder} cannot be written.",
        "The processes that build the graphs keep their locks there.",
        "Mount it as memory (an emptyDir of medium Memory, or --shm-size).",
        2,
    )
    return Finding("machine", str(folder), "not writable", problem)
