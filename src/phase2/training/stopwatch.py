"""Timing of an epoch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from phase2.data.batching import Batch


class Stopwatch:
    """Timer of one epoch, and of the part in which the model waited for batches."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self._trained = 0.0
        self._waited = 0.0
        self._structures = 0

    def over(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield batches, and time how long each was waited for."""
        batches = iter(batches)
        while True:
            before = time.perf_counter()
            batch = next(batches, None)
            self._waited += time.perf_counter() - before
            if batch is None:
                return
            yield batch

    def count(self, crystals: int) -> None:
        """Count the crystals of a finished step, those of all processes."""
        self._structures += crystals

    def end_training(self) -> None:
        """Stop the training time; only the time of the epoch continues."""
        self._trained = time.perf_counter() - self._begin

    @property
    def seconds(self) -> float:
        """Seconds since the start of the epoch."""
        return time.perf_counter() - self._begin

    @property
    def rate(self) -> float:
        """Structures per second of training."""
        return self._structures / self._trained if self._trained else 0.0

    @property
    def wait_share(self) -> float:
        """Share of the training time in which batches were waited for, 0 to 1."""
        return self._waited / self._trained if self._trained else 0.0
