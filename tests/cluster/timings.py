"""How long each step took, said at once and again at the end."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

STEPS: list[tuple[str, float]] = []
"""Steps of this process, in the order in which they ended."""


@contextmanager
def step(name: str) -> Iterator[None]:
    """Time a block and say it, on the real standard error even while pytest captures."""
    begun = time.monotonic()
    try:
        yield
    finally:
        record(name, time.monotonic() - begun)


def record(name: str, seconds: float) -> None:
    """Keep the time of a step, and say it."""
    STEPS.append((name, seconds))
    print(f"{seconds:8.1f} s  {name}", file=sys.__stderr__, flush=True)
