"""Everything that makes two runs draw the same random numbers, and the threads they draw them on."""

from __future__ import annotations

import math
import os
import random

import numpy as np
import torch

from phase2.runs.environment import cores

THREADS_VARIABLE = "OMP_NUM_THREADS"


def seed_everything(seed: int, device: torch.device) -> None:
    """Seed Python, numpy and torch, and choose deterministic algorithms where they cost nothing: on the CPU."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - for libraries that draw from the global generator
    torch.manual_seed(seed)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.use_deterministic_algorithms(device.type == "cpu", warn_only=True)


def random_state() -> dict[str, object]:
    """State of all generators as tensors and plain values."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)  # noqa: NPY002
    state: dict[str, object] = {
        "python": random.getstate(),
        "numpy": torch.from_numpy(np.asarray(keys).astype(np.int64)),
        "numpy_position": [int(position), int(has_gauss), float(gauss)],
        "torch": torch.get_rng_state(),
    }
    assert name == "MT19937"  # noqa: S101
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore_random_state(state: dict[str, object]) -> None:
    """Put all generators back to where :func:`random_state` was called."""
    random.setstate(state["python"])  # type: ignore[arg-type]
    position, has_gauss, gauss = state["numpy_position"]  # type: ignore[misc]
    keys = state["numpy"].numpy().astype(np.uint32)  # type: ignore[attr-defined]
    np.random.set_state(("MT19937", keys, position, has_gauss, gauss))  # type: ignore[has-type]  # noqa: NPY002
    torch.set_rng_state(state["torch"])  # type: ignore[arg-type]
    cuda = state.get("cuda")
    if isinstance(cuda, list) and len(cuda) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(cuda)


def threads() -> int:
    """Number of threads to compute on: ``$OMP_NUM_THREADS``, or the cores that this process may really use.

    The latter are those of its CPU affinity, and no more than the CPU limit of its container: one thread per core
    of a large node would spend its time waiting for the few cores that the limit allows.
    """
    wanted = os.environ.get(THREADS_VARIABLE, "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    return math.ceil(cores())
