"""Reader processes: their limits, and what a row says of a file that one of them ended over."""

from __future__ import annotations

from phase2.config.limits import ReadingLimits
from phase2.errors import LimitExceededError, Phase2Error, TransientError
from phase2.machine.cgroup import memory_limit
from phase2.machine.worker import WorkerEndedError, WorkLimits

_LEAST_MEMORY = 500_000_000
"""Memory of a reader in a container however small: the libraries alone take 150 MB of it."""


def work_limits(limits: ReadingLimits, workers: int) -> WorkLimits:
    """Return the limits of each of several reader processes, which share the memory of a container."""
    container = memory_limit()
    share = limits.memory_bytes if container is None else max(_LEAST_MEMORY, container // (workers + 1))
    return WorkLimits(limits.seconds, min(limits.memory_bytes, share))


def reading_error(subject: str, ended: WorkerEndedError, limits: ReadingLimits) -> LimitExceededError:
    """Build the error for a file over which a reader process has ended."""
    if ended.out_of_time:
        return limits.exceeded("seconds", subject, "reading it takes more seconds of a processor")
    if ended.out_of_memory:
        return limits.exceeded("memory_bytes", subject, "reading it takes more memory")
    why = f"the process that read it was ended by {ended.signal}."
    return LimitExceededError(f"{subject} cannot be read:", why=why, fix="Correct or remove it.")


def process_error(ended: WorkerEndedError) -> Phase2Error:
    """Build the error for a reader process that ended without a file to blame."""
    if ended.signal:
        return TransientError(
            f"A process that builds graphs was killed by {ended.signal}.",
            why="The system does so when memory runs out.",
            fix="Use fewer workers (--workers 1) or more memory, and start again.",
        )
    return Phase2Error(
        f"A process that builds graphs ended with exit code {ended.code}.",
        why="Its own message is above.",
        fix="Build with --workers 1 to see where it fails.",
    )
