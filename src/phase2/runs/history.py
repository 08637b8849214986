"""How a training went, epoch by epoch (``history.json``)."""

from __future__ import annotations

from phase2.runs.record import Record


class EpochRecord(Record):
    """One epoch.

    Attributes:
        epoch: Number of the epoch, from 1.
        train_loss: Mean loss over the epoch's steps, in normalised units.
        val_score: Mean over the properties of validation MAE / MAE of the median baseline; None without a value.
        val_mae: Validation MAE by property, in the property's unit; None without a value.
        lr: Learning rate at the end of the epoch.
        seconds: Time of the epoch, validation included.
    """

    epoch: int
    train_loss: float | None
    val_score: float | None
    val_mae: dict[str, float | None]
    lr: float
    seconds: float
