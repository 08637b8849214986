"""Values of tensors that a computation reads on the host, for which a GPU would have to finish first."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

_READS = {"aten::_local_scalar_dense", "aten::nonzero", "aten::equal", "aten::masked_select"}
_OWN = {"aten::_fused_adamw_"}  # reads its step count on a CPU, where it is on the host; its GPU kernel does not


def host_reads(work: Callable[[], object]) -> list[str]:
    """Run some work on the CPU, and list the operations in it whose result the host reads.

    Operations count whose output is a number, or has a shape that depends on the values of the input. One inside
    another is listed with the outer ones: ``aten::item < aten::_local_scalar_dense``.

    Args:
        work: What to run.
    """
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        work()
    events = profiled.events() or []
    chains = [_chain(event) for event in events if event.name in _READS]
    return [" < ".join(chain) for chain in chains if not _OWN & set(chain)]


def host_waits(work: Callable[[], object], device: torch.device) -> list[str]:
    """Run some work, and list where the host reads a value: by the CUDA runtime's own watch on a GPU, the first alone.

    Args:
        work: What to run.
        device: Where it runs.
    """
    if device.type != "cuda":
        return host_reads(work)
    torch.cuda.set_sync_debug_mode("error")
    try:
        work()
    except RuntimeError as error:
        if "synchroniz" not in str(error):
            raise
        return [str(error)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return []


def _chain(event: FunctionEvent) -> list[str]:
    names: list[str] = []
    outer: FunctionEvent | None = event
    while outer is not None:
        names.append(outer.name)
        outer = outer.cpu_parent
    return names
