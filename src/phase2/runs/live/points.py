"""Points of a run's learning curve, as far as those who watch it know them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from phase2.runs.records.history import EpochRow

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class EpochPoint:
    """One epoch, as a table, a log or a history says it.

    Attributes:
        epoch: Counted from 1.
        train_loss: Mean loss of its steps.
        val_loss: Loss on the validation part.
        score: Validation score; lower is better.
        mae: Validation MAE by property, in its unit, or log loss; None where validation has no label.
        seconds: Its duration, validation included.
        rate: Crystals per second, validation excluded.
        own_units: Units of the errors of properties that the run defines, as far as they are known.
    """

    epoch: int
    train_loss: float
    val_loss: float
    score: float
    mae: Mapping[str, float | None]
    seconds: float
    rate: float
    own_units: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, row: EpochRow) -> EpochPoint:
        """Return the point of a row of the history."""
        return cls(
            row.epoch,
            row.train_loss,
            row.val_loss,
            row.val_score,
            row.val_errors,
            row.seconds,
            row.structures_per_second,
            row.own_units,
        )


def best_point(points: Sequence[EpochPoint]) -> EpochPoint | None:
    """Return the epoch with the lowest score, the first of equals; None before the first epoch."""
    return min(points, key=lambda point: point.score, default=None)


def thinned(rows: Sequence[Row], most: int) -> tuple[Row, ...]:
    """Return at most so many of the rows, evenly spread, the first and the last among them.

    Example:
        >>> thinned(range(1, 101), 4)
        (1, 34, 67, 100)
    """
    if len(rows) <= most:
        return tuple(rows)
    last = len(rows) - 1
    return tuple(rows[round(index * last / (most - 1))] for index in range(most))
