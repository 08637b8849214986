"""Dimensions of a search space: one setting each, over a range or a list of choices."""

from __future__ import annotations

from dataclasses import dataclass

from phase2.config.assignments import format_value

OVER = "--over"


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; integers where both are.

    Attributes:
        path: Dotted path of the setting.
        low: Smallest value.
        high: Largest value.
        log: Whether values are drawn on a logarithmic scale.
        step: Distance between two values; None for any.
    """

    path: str
    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def text(self) -> str:
        """Argument of ``--over``: ``training.lr=0.0001..0.01:log``."""
        ends = f"{format_value(self.low)}..{format_value(self.high)}"
        step = "" if self.step is None else f":step={format_value(self.step)}"
        return f"{self.path}={ends}{':log' if self.log else ''}{step}"

    @property
    def example(self) -> object:
        """One of its values."""
        return self.low

    def has(self, value: object) -> bool:
        """Return whether a value lies in the range."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        return self.step is None or abs((value - self.low) / self.step % 1) < 1e-9


@dataclass(frozen=True, slots=True)
class Choices:
    """A list of values, in no order.

    Attributes:
        path: Dotted path of the setting.
        values: The values.
    """

    path: str
    values: tuple[object, ...]

    @property
    def text(self) -> str:
        """Argument of ``--over``: ``training.batch_size=16,32,64``."""
        return f"{self.path}={','.join(map(format_value, self.values))}"

    @property
    def example(self) -> object:
        """One of its values."""
        return self.values[0]

    def has(self, value: object) -> bool:
        """Return whether a value is one of the choices."""
        return (tuple(value) if isinstance(value, list) else value) in self.values


Dimension = Range | Choices
