"""Memory that a run needs on a CPU, estimated before it starts; without torch, so that ``submit`` can ask as well.

The numbers were fitted to the peaks of real runs on the embedded sample (``bench/memory.py`` measures them again):
anonymous memory, since the page cache makes way for it, and the resident part of the libraries on top.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from phase2.config.schema import CgcnnConfig, EquivariantConfig, RunConfig
from phase2.errors import RequestError
from phase2.machine.cgroup import memory_limit

MB = 1_000_000

BASE = 450 * MB
"""Interpreter, libraries, the figures of the report."""
LIBRARIES = 100 * MB
"""Resident part of the libraries' files."""
BUILDING, BUILDER = 330 * MB, 45 * MB
"""The process that builds the graphs, and each of its workers."""

_GPU = Path("/dev/nvidiactl")
# Weights, gradients, both moments of Adam, the average, the best model, and copies while a checkpoint is written.
_BYTES_PER_WEIGHT = 32
# Below this share of the need a run is killed for certain; above it the estimate may be wrong.
_SURELY_TOO_SMALL = 0.7
# Mean number of links and of bonds per crystal of the embedded sample, which the activations were measured with.
_SAMPLE_SIZE = {"link": 27.1, "bond": 105.2}


def refuse_small_memory(
    config: RunConfig,
    notify: Callable[[str], None],
    *,
    workers: float = 0,
    graph_size: float | None = None,
    processes: int = 1,
) -> None:
    """Refuse a run that this container's memory limit is too low for; warn about one that may be killed.

    A training calls it as early as it knows something: with ``workers`` before its graphs are built (the command line
    even before torch is imported, which alone exceeds the smallest limits), and with ``graph_size`` once they are.
    The second call adds something only where the graphs are larger than those that the first call assumed.

    With a GPU the activations are in its own memory, and CUDA's share of the host's was not measured: such a run is
    always accepted.

    Args:
        config: The run.
        notify: Callback receiving a warning, one line.
        workers: Processes that will build the graphs.
        graph_size: Mean number per crystal of what :func:`graph_level` names; None before it is known.
        processes: Processes of this container that share each batch.

    Raises:
        RequestError: The run would be killed.
    """
    crystal_size = 1.0 if graph_size is None else graph_size / _SAMPLE_SIZE[graph_level(config)]
    if _GPU.exists() or (graph_size is not None and crystal_size <= 1):
        return
    needed = needed_memory(config, workers=workers, crystal_size=crystal_size, processes=processes)
    warning = check_memory(needed, memory_limit())
    if warning:
        notify(warning)


def graph_level(config: RunConfig) -> Literal["link", "bond"]:
    """Name what the activations of an algorithm grow with: links (cgcnn) or bonds (e3nn)."""
    return "link" if config.algorithm == "cgcnn" else "bond"


def needed_memory(config: RunConfig, *, workers: float, crystal_size: float = 1.0, processes: int = 1) -> int:
    """Estimate the memory that a run needs on a CPU, bytes.

    Args:
        config: The run.
        workers: Processes that build the graphs.
        crystal_size: Mean size of a crystal's graph, relative to that of the embedded sample.
        processes: Processes that share each batch; each has libraries and weights of its own.
    """
    building = BUILDING + math.ceil(workers) * BUILDER
    activations = round(_crystals(config) * _per_crystal(config) * crystal_size)
    training = processes * (BASE + _BYTES_PER_WEIGHT * _weights(config)) + activations
    return LIBRARIES + max(building, training)


def check_memory(needed: int, limit: int | None) -> str:
    """Compare the memory that a run needs with its limit.

    Args:
        needed: Bytes.
        limit: Bytes; None without a limit.

    Returns:
        A warning in one line; empty when there is enough.

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
    """Return the number of crystals in the largest batch."""
    samples, (train, *_) = config.data.max_samples, config.data.fractions
    batch = config.training.batch_size
    return batch if samples is None else min(batch, math.ceil(samples * train / sum(config.data.fractions)))


def _per_crystal(config: RunConfig) -> float:
    """Estimate the activations of one crystal, bytes: linear in the features of all layers together."""
    model = config.model
    if isinstance(model, CgcnnConfig):
        return (0.055 + 0.00064 * model.width * model.convolutions) * MB
    return (0.15 + 0.0022 * _features(model) * model.layers) * MB


def _weights(config: RunConfig) -> int:
    """Estimate the number of weights of the network."""
    model = config.model
    if isinstance(model, CgcnnConfig):
        return 100_000 + model.convolutions * 2 * model.width * (2 * model.width + model.gaussians)
    return model.layers * 400 * _features(model)


def _features(model: EquivariantConfig) -> int:
    """Count the numbers per atom: a feature of degree l has 2 l + 1."""
    return sum(n * (2 * degree + 1) for degree, n in enumerate(model.channels))


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
