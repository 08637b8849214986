"""The history of a training: one row per epoch (``history.json``)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from phase2.errors import ModelFileError
from phase2.storage.disk.atomic import write_text


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch.

    Attributes:
        epoch: Counted from 1.
        step: Optimiser steps since the start of the run.
        lr: Learning rate of the epoch's last step.
        train_loss: Mean loss of the steps, normalised units: per property over its labels, then over the properties,
            with their weights where ``label_exponent`` gives them.
        val_loss: Loss of the averaged model on the validation part: per property over its labels, then over the
            properties alike.
        val_score: Mean of MAE / MAE of the median baseline over the properties; lower is better.
        val_mae: Validation MAE by property, in its unit; None where validation has no label.
        seconds: Wall time of the epoch, validation included (since the resumption, in a resumed epoch).
        structures_per_second: Training speed, validation excluded.
        data_wait: Share of the training time spent waiting for a batch.
    """

    epoch: int
    step: int
    lr: float
    train_loss: float
    val_loss: float
    val_score: float
    val_mae: dict[str, float | None]
    seconds: float
    structures_per_second: float
    data_wait: float


def best_row(history: Sequence[EpochRow]) -> EpochRow | None:
    """Return the row of the epoch with the lowest score, the first of equals; None before the first epoch."""
    return min(history, key=lambda row: row.val_score, default=None)


def write_history(path: Path, history: Sequence[EpochRow]) -> None:
    """Write ``history.json`` atomically: a list of rows, one line each."""
    rows = ",\n".join(json.dumps(asdict(row), allow_nan=False) for row in history)
    write_text(path, f"[\n{rows}\n]\n" if rows else "[]\n")


def read_history(path: Path) -> tuple[EpochRow, ...]:
    """Read ``history.json``.

    Raises:
        ModelFileError: It is missing or damaged.
    """
    try:
        return tuple(EpochRow(**row) for row in json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelFileError(
            f"{path} cannot be read.", why=f"{error}.", fix="Check the run with 'phase2 runs verify'."
        ) from error


def read_epochs_done(path: Path) -> int:
    """Count the epochs in a ``history.json``; 0 where it is missing or damaged."""
    try:
        rows = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return 0
    return len(rows) if isinstance(rows, list) else 0
