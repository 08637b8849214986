"""Memory that a run needs on a CPU, before it is begun; without torch, so that a submission can ask as well.

The numbers were fitted to the peaks of real runs on the embedded sample (``bench/memory.py`` measures them again):
anonymous memory, since what is read from files makes way for it, and a working set of libraries on top.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from phase2.config.schema import CgcnnConfig, EquivariantConfig, RunConfig
from phase2.errors import RequestError
from phase2.machine.cgroup import memory_limit

MB = 1_000_000

BASE = 450 * MB
"""Interpreter, libraries, the report's pictures."""
LIBRARIES = 100 * MB
"""What of the libraries' files must stay in memory for a run to make progress."""
BUILDING, BUILDER = 330 * MB, 45 * MB
"""The process that builds the graphs, and each of its workers."""

_GPU = Path("/dev/nvidiactl")
# Weights, gradients, both moments of Adam, the average, the best model, and copies while a checkpoint is written.
_BYTES_PER_WEIGHT = 32
# Below this part of the need a run is killed for sure; above it the estimate may err.
_SURELY_TOO_SMALL = 0.7


def refuse_small_memory(
    config: RunConfig, workers: float, notify: Callable[[str], None], *, crystal_size: float = 1.0
) -> None:
    """Say that the limit of this container is too low for a run, or refuse what cannot end well.

    With a GPU the activations are there, and what CUDA takes of the host was not measured: nothing is said then.

    Args:
        config: The run.
        workers: Processes that build the graphs.
        notify: Is told a warning.
        crystal_size: As in :func:`needed_memory`.

    Raises:
        RequestError: The run would be killed.
    """
    if _GPU.exists():
        return
    warning = check_memory(needed_memory(config, workers=workers, crystal_size=crystal_size), memory_limit())
    if warning:
        notify(warning)


def needed_memory(config: RunConfig, *, workers: float, crystal_size: float = 1.0) -> int:
    """Bytes of memory that a run needs on a CPU.

    Args:
        config: The run.
        workers: Processes that build the graphs.
        crystal_size: Mean size of a crystal's graph, relative to that of the embedded sample.
    """
    building = BUILDING + math.ceil(workers) * BUILDER
    training = (
        BASE + _BYTES_PER_WEIGHT * _weights(config) + round(_crystals(config) * _per_crystal(config) * crystal_size)
    )
    return LIBRARIES + max(building, training)


def check_memory(needed: int, limit: int | None) -> str:
    """Compare what a run needs with what it may use.

    Returns:
        A warning in one line; empty when there is enough, or no limit.

    Raises:
        RequestError: The run would be killed.
    """
    if limit is None or limit >= needed:
        return ""
    what = f"The memory limit of {_size(limit)} is less than the {_size(needed)} that this run needs."
    fix = f"Give it {_size(needed)} (phase2 submit --memory {math.ceil(needed / 2**20)}Mi), or a smaller --batch-size."
    if limit < _SURELY_TOO_SMALL * needed:
        raise RequestError(what, why="The system would kill it (exit code 137).", fix=fix)
    return f"warning: {what} It may be killed (exit code 137). {fix}"


def _crystals(config: RunConfig) -> int:
    """Crystals of the largest batch."""
    samples, (train, *_) = config.data.max_samples, config.data.fractions
    batch = config.training.batch_size
    return batch if samples is None else min(batch, math.ceil(samples * train / sum(config.data.fractions)))


def _per_crystal(config: RunConfig) -> float:
    """Bytes of activations of one crystal: linear in the features of all layers together."""
    model = config.model
    if isinstance(model, CgcnnConfig):
        return (0.055 + 0.00064 * model.width * model.convolutions) * MB
    return (0.15 + 0.0022 * _features(model) * model.layers) * MB


def _weights(config: RunConfig) -> int:
    """About as many as the network has."""
    model = config.model
    if isinstance(model, CgcnnConfig):
        return 100_000 + model.convolutions * 2 * model.width * (2 * model.width + model.gaussians)
    return model.layers * 400 * _features(model)


def _features(model: EquivariantConfig) -> int:
    """Numbers per atom: a feature of degree l has 2 l + 1."""
    return sum(n * (2 * degree + 1) for degree, n in enumerate(model.channels))


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
