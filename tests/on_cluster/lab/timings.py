"""Duration of each step, reported at once and again at the end."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LISTENERS: list[Callable[[str], object]] = [lambda line: sys.stderr.write(f"{line}\n")]
"""Callbacks for a report: the last one is called. The tests add one that prints while pytest captures output."""

STEPS: list[tuple[str, float]] = []
"""Steps of this process, in the order in which they ended."""


@contextmanager
def step(name: str) -> Iterator[None]:
    """Time a block and report it."""
    begun = time.monotonic()
    try:
        yield
    finally:
        record(name, time.monotonic() - begun)


def record(name: str, seconds: float) -> None:
    """Record the duration of a step and report it."""
    STEPS.append((name, seconds))
    LISTENERS[-1](f"{seconds:8.1f} s  {name}")
