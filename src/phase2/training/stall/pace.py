"""Longest time that a step or a validation may take, by the run's own pace."""

from __future__ import annotations

from collections import deque

_FACTOR = 10
_RECENT_STEPS = 100
_RECENT_VALIDATIONS = 10


class Pace:
    """Recent durations of a training, and the limits that follow from them.

    Args:
        floor: Time that any step or validation may take, seconds.

    Example:
        >>> pace = Pace(60)
        >>> pace.add_step(20)
        >>> pace.step_limit(), pace.validation_limit(n_batches=500)
        (200, 10000)
    """

    def __init__(self, floor: float) -> None:
        self._floor = floor
        self._steps: deque[float] = deque(maxlen=_RECENT_STEPS)
        self._validations: deque[float] = deque(maxlen=_RECENT_VALIDATIONS)

    @property
    def slowest_step(self) -> float:
        """Duration of the slowest recent step, seconds; 0 before the first."""
        return max(self._steps, default=0.0)

    def add_step(self, seconds: float) -> None:
        """Record the duration of a step."""
        self._steps.append(seconds)

    def add_validation(self, seconds: float) -> None:
        """Record the duration of a validation, its checkpoint included."""
        self._validations.append(seconds)

    def step_limit(self) -> float:
        """Return the longest time for the next step, seconds: ten times the slowest recent one, and the floor."""
        return max(self._floor, _FACTOR * self.slowest_step)

    def validation_limit(self, n_batches: int) -> float:
        """Return the longest time for the next validation, seconds.

        Ten times the slowest recent one, as long as an epoch of ``n_batches`` steps, which is the only guess before the
        first, and the floor: whichever is longest.
        """
        return max(self._floor, _FACTOR * max(self._validations, default=0.0), n_batches * self.slowest_step)
