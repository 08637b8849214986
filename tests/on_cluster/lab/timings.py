"""How long each step took, said at once and again at the end."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SAY: list[Callable[[str], object]] = [lambda line: sys.stderr.write(f"{line}\n")]
"""Who says it: the last one. Tests put in the one that is heard while pytest captures."""

STEPS: list[tuple[str, float]] = []
"""Steps of this process, in the order in which they ended."""


@contextmanager
def step(name: str) -> Iterator[None]:
    """Time a block and say it."""
    begun = time.monotonic()
    try:
        yield
    finally:
        record(name, time.monotonic() - begun)


def record(name: str, seconds: float) -> None:
    """Keep the time of a step, and say it."""
    STEPS.append((name, seconds))
    SAY[-1](f"{seconds:8.1f} s  {name}")
