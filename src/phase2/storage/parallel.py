"""Concurrent transfers, and their progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from threading import Lock
from typing import TypeVar

from phase2.storage.progress import ProgressCallback

Item = TypeVar("Item")
Result = TypeVar("Result")

# Transfers are bound by disks and networks, not by cores.
WORKERS = 8


def in_parallel(action: Callable[[Item], Result], items: Iterable[Item], *, workers: int = WORKERS) -> list[Result]:
    """Call a function with every item from several threads; return the results in the order of the items.

    The first error is raised: calls that have not started are cancelled, those in progress are waited for.
    """
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(action, item) for item in items]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    failed = next((f for f in futures if not f.cancelled() and f.exception() is not None), None)
    return [failed.result()] if failed is not None else [future.result() for future in futures]


class ByteCounter:
    """Thread-safe sum of bytes that reports every change.

    Args:
        total: Bytes in all.
        progress: Callback receiving bytes done and bytes in all.
    """

    def __init__(self, total: int, progress: ProgressCallback | None) -> None:
        self._total = total
        self._progress = progress
        self._done = 0
        self._lock = Lock()

    def add(self, n: int) -> None:
        """Add ``n`` bytes."""
        with self._lock:
            self._done += n
            if self._progress is not None:
                self._progress(self._done, self._total)
