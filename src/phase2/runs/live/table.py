"""Progress of a training as text: a table with one line per epoch, for terminals and logs. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from phase2.output.durations import short_duration
from phase2.properties import error_unit
from phase2.runs.records.history import EpochRow

COLUMNS = {"epoch": 9, "loss": 8, "val": 8, "score": 8, "crystals/s": 11, "time": 7, "left": 7}
"""Columns before those of the properties, and their widths."""
BEST = "*"
MISSING = "-"
_GAP = "  "
_NARROWEST = 8
_LOG_LOSS = "log loss"  # as the units of a history have it
NO_UNITS: Mapping[str, str] = MappingProxyType({})
"""Units of a run that defines no property."""


def shown_keys(keys: Sequence[str], width: int | None, units: Mapping[str, str] = NO_UNITS) -> list[str]:
    """Return the properties whose columns fit on a line.

    Args:
        keys: The properties.
        width: Characters of a line; None has room for all.
        units: Units of the errors of properties that the run defines.
    """
    shown, used = [], sum(COLUMNS.values())
    for key in keys:
        used += len(_GAP) + _width(key, units)
        if width is not None and used > width:
            break
        shown.append(key)
    return shown


def heading(keys: Sequence[str], units: Mapping[str, str] = NO_UNITS) -> list[str]:
    """Return the two lines above the table: names of the columns, and units of the validation errors."""
    names = "".join(f"{name:>{width}}" for name, width in COLUMNS.items())
    if not keys:
        return [names]
    shown = {error_unit(key, units) for key in keys}
    what = "val error in" if _LOG_LOSS in shown else "val MAE in"
    below = f"{what:>{sum(COLUMNS.values())}}"
    below += "".join(f"{_GAP}{error_unit(key, units) or '1':>{_width(key, units)}}" for key in keys)
    return [names + "".join(f"{_GAP}{key:>{_width(key, units)}}" for key in keys), below]


def epoch_line(row: EpochRow, keys: Sequence[str], *, epochs: int, best: bool, left: float | None) -> str:
    """Return the line of an epoch.

    Args:
        row: Its numbers.
        keys: The properties to show.
        epochs: Epochs in all.
        best: Whether its score is the best so far, which is marked.
        left: Estimated time until the last step, seconds.
    """
    cells = (
        f"{row.epoch}/{epochs}",
        _number(row.train_loss),
        _number(row.val_loss),
        f"{row.val_score:.3f}{BEST if best else ' '}",
        f"{row.structures_per_second:,.0f}",
        _seconds(row.seconds),
        MISSING if left is None else short_duration(left),
    )
    fixed = "".join(f" {cell:>{width - 1}}" for cell, width in zip(cells, COLUMNS.values(), strict=True))
    return fixed + "".join(f"{_GAP}{_error(row.val_errors.get(key)):>{_width(key, row.own_units)}}" for key in keys)


def step_line(step: int, steps: int, *, rate: float | None, left: float | None) -> str:
    """Return a line within a long epoch: steps taken, crystals per second, and seconds until the last step."""
    speed = "" if rate is None else f", {rate:,.0f} crystals/s"
    return f"{'':>9} step {step:,} of {steps:,}{speed}{'' if left is None else f', {short_duration(left)} left'}"


def begin_line(epochs: int, steps: int, done: int) -> str:
    """Return the line at the start of an attempt: epochs and steps in all, and the steps that were taken before."""
    return f"training: {epochs:,} epochs, {steps:,} steps{f', from step {done:,}' if done else ''}"


def _width(key: str, units: Mapping[str, str]) -> int:
    return max(len(key), len(error_unit(key, units)), _NARROWEST)


def _number(value: float) -> str:
    return f"{value:.4f}" if abs(value) < 100 else f"{value:.3g}"


def _error(value: float | None) -> str:
    return MISSING if value is None else f"{value:.4g}"


def _seconds(value: float) -> str:
    return f"{value:.1f}s" if value < 60 else short_duration(value)
