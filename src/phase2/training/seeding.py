"""Seeding, saving and restoring of all random number generators."""

from __future__ import annotations

import math
import random

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phase2.errors import ModelFileError

_TWISTER_WORDS = 624


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
    """Restore all generators to a state of :func:`random_state`.

    Raises:
        ModelFileError: It is damaged.
    """
    try:
        python, numpy, torch_state = state["python"], _numpy_state(state), state["torch"]
        random.setstate(python)  # type: ignore[arg-type]
        np.random.set_state(numpy)  # noqa: NPY002
        torch.set_rng_state(torch_state)  # type: ignore[arg-type]
        cuda = state.get("cuda")
        if isinstance(cuda, list) and len(cuda) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(cuda)
    except (TypeError, ValueError, RuntimeError, LookupError, OverflowError) as error:
        raise ModelFileError("The state of the random generators cannot be restored.", why=f"{error}.") from error


def _numpy_state(state: dict[str, object]) -> tuple[str, NDArray[np.uint32], int, int, float]:
    keys, numbers = state["numpy"], state["numpy_position"]
    if not isinstance(keys, Tensor) or keys.dtype != torch.int64 or keys.shape != (_TWISTER_WORDS,):
        raise ValueError("numpy's state has another shape")
    words = keys.numpy()
    if not isinstance(numbers, list) or [type(n) for n in numbers] != [int, int, float] or ((words >> 32) != 0).any():
        raise ValueError("numpy's state is damaged")
    position, has_gauss, gauss = numbers
    # Not checked by numpy, which would read beyond its words.
    if not 0 <= position <= _TWISTER_WORDS or has_gauss not in (0, 1) or not math.isfinite(gauss):
        raise ValueError("numpy's position is out of range")
    return "MT19937", words.astype(np.uint32), position, has_gauss, gauss
