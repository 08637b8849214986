"""Polling for a condition."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T],
    what: str,
    seconds: float,
    why: Callable[[], object] = lambda: "",
    *,
    pause: float = 0.1,
) -> T:
    """Poll a condition until it is true; returns its value.

    Args:
        condition: What is looked at.
        what: What is waited for, in words.
        seconds: How long.
        why: Says what there is instead, when the time is over.
        pause: Seconds between two looks; more of them where a look is dear.

    Raises:
        TimeoutError: It does not come true in time.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {seconds:.0f} s for {what}. {why()}")
        time.sleep(pause)
    return found
