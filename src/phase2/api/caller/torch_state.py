"""The settings of torch and of the random generators, which belong to the caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from phase2.training.seeding import random_state, restore_random_state


@contextmanager
def preserved_threads() -> Iterator[None]:
    """Restore torch's number of threads after the block."""
    threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def preserved_torch_settings() -> Iterator[None]:
    """Restore after the block what a training sets: threads, deterministic algorithms and all random generators."""
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    fills = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    generators = random_state()
    with preserved_threads():
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
            torch.utils.deterministic.fill_uninitialized_memory = fills  # type: ignore[attr-defined]
            restore_random_state(generators)
