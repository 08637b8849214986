"""Counts of what a trace of torch's profiler shows (Chrome's trace event format)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ON_DEVICE = {"kernel", "gpu_memcpy", "gpu_memset"}
_CALLS = {"cuda_runtime", "cuda_driver"}
_READ = "aten::_local_scalar_dense"
_WAITS = {"cudaStreamSynchronize", "cudaEventSynchronize", "cudaMemcpy"}


@dataclass(frozen=True)
class Trace:
    """Counts over a whole trace.

    Attributes:
        operators: Innermost operators, views included.
        launches: Kernels and graphs launched by the host.
        host_reads: Reads of a tensor's value by the host.
        synchronisations: Calls that wait for a stream or an event of the device.
        busy_ms: Time in which the device computed or copied, milliseconds.
    """

    operators: int
    launches: int
    host_reads: int
    synchronisations: int
    busy_ms: float


def read_trace(path: Path) -> Trace:
    """Count the events of a trace."""
    events = [e for e in json.loads(path.read_bytes())["traceEvents"] if e.get("ph") == "X"]
    calls = [str(e["name"]) for e in events if e.get("cat") in _CALLS]
    operators = [e for e in events if e.get("cat") == "cpu_op"]
    return Trace(
        operators=_innermost(operators),
        launches=sum("Launch" in name for name in calls),
        host_reads=sum(e["name"] == _READ for e in operators),
        synchronisations=sum(name in _WAITS for name in calls),
        busy_ms=_covered((e["ts"], e["ts"] + e["dur"]) for e in events if e.get("cat") in _ON_DEVICE) / 1e3,
    )


def _innermost(operators: Iterable[dict[str, Any]]) -> int:
    """Count the operators that call no other: in the order of their beginnings, one is followed by what it calls."""
    threads: dict[object, list[tuple[float, float]]] = defaultdict(list)
    for event in operators:
        threads[event["tid"]].append((event["ts"], -event["dur"]))
    count = 0
    for spans in threads.values():
        spans.sort()
        ends = [start - negative for start, negative in spans]
        count += sum(
            following >= end for (following, _), end in zip([*spans[1:], (float("inf"), 0.0)], ends, strict=True)
        )
    return count


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """Return the length of the union of spans: streams may work at once."""
    covered, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return covered
