"""Seeding, saving and restoring of all random number generators."""

from __future__ import annotations

import random

import numpy as np
import torch


def seed_everything(seed: int, device: torch.device) -> None:
    """Seed Python, numpy and torch, and choose deterministic algorithms where they cost nothing: on the CPU."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - for libraries that draw from the global generator
    torch.manual_seed(seed)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.use_deterministic_algorithms(device.type == "cpu", warn_only=True)


def random_state() -> dict[str, object]:
    """Return the state of all generators as tensors and plain values."""
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
    """Restore all generators to a state of :func:`random_state`."""
    random.setstate(state["python"])  # type: ignore[arg-type]
    position, has_gauss, gauss = state["numpy_position"]  # type: ignore[misc]
    keys = state["numpy"].numpy().astype(np.uint32)  # type: ignore[attr-defined]
    np.random.set_state(("MT19937", keys, position, has_gauss, gauss))  # type: ignore[has-type]  # noqa: NPY002
    torch.set_rng_state(state["torch"])  # type: ignore[arg-type]
    cuda = state.get("cuda")
    if isinstance(cuda, list) and len(cuda) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(cuda)
