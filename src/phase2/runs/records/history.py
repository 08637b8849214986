"""The history of a training: one row per epoch (``history.json``)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, StrictFloat, StrictInt, StrictStr, TypeAdapter, ValidationError

from phase2.config.bounds import MOST_COUNTED
from phase2.errors import ModelFileError
from phase2.properties import KEY
from phase2.storage.disk.atomic import write_text
from phase2.storage.records import first_error, read_limited


def _known(key: str) -> str:
    if not re.fullmatch(KEY, key):
        raise ValueError("no property has this key")
    return key


_Errors = Annotated[dict[Annotated[StrictStr, AfterValidator(_known)], StrictFloat | None], Field(strict=True)]


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
        val_log_loss: Validation log loss of the binary properties; left out of the file where there are none.
        own_units: Units of the errors of properties that the run defines, ``log loss`` for binary ones; likewise.
        imbalance: Work of the process that has most of a batch, relative to the mean over the processes that share it:
            at 1.1 the others wait for a tenth of the work; left out where one process trains.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    epoch: Annotated[StrictInt, Field(ge=1, le=MOST_COUNTED)]
    step: Annotated[StrictInt, Field(ge=0, lt=2**62)]
    lr: Annotated[StrictFloat, Field(ge=0)]
    train_loss: StrictFloat
    val_loss: StrictFloat
    val_score: StrictFloat
    val_mae: _Errors
    seconds: Annotated[StrictFloat, Field(ge=0)]
    structures_per_second: Annotated[StrictFloat, Field(ge=0)]
    data_wait: StrictFloat
    val_log_loss: _Errors = field(default_factory=dict)
    own_units: dict[str, str] = field(default_factory=dict)
    imbalance: Annotated[StrictFloat, Field(ge=1)] | None = None

    @property
    def val_errors(self) -> dict[str, float | None]:
        """Validation MAE, or log loss of a binary property, by property."""
        return {**self.val_mae, **self.val_log_loss}

    def to_dict(self) -> dict[str, object]:
        """Return the row as files hold it."""
        return {name: value for name, value in asdict(self).items() if name not in _OF_SOME or value}


_OF_SOME = ("val_log_loss", "own_units", "imbalance")


def best_row(history: Sequence[EpochRow]) -> EpochRow | None:
    """Return the row of the epoch with the lowest score, the first of equals; None before the first epoch."""
    return min(history, key=lambda row: row.val_score, default=None)


def write_history(path: Path, history: Sequence[EpochRow]) -> None:
    """Write ``history.json`` atomically: a list of rows, one line each."""
    rows = ",\n".join(json.dumps(row.to_dict(), allow_nan=False) for row in history)
    write_text(path, f"[\n{rows}\n]\n" if rows else "[]\n")


def read_history(path: Path) -> tuple[EpochRow, ...]:
    """Read ``history.json``.

    Raises:
        ModelFileError: It is missing or damaged.
    """
    return parse_history(read_limited(path), where=str(path))


def parse_history(content: bytes, *, where: str) -> tuple[EpochRow, ...]:
    """Parse the content of a ``history.json``; ``where`` names it in messages.

    Raises:
        ModelFileError: It is damaged.
    """
    try:
        rows = _ROWS.validate_json(content)
        if [row.epoch for row in rows] != list(range(1, len(rows) + 1)):
            raise ValueError("Its epochs are not numbered from 1")
    except ValueError as error:
        why = first_error(error) if isinstance(error, ValidationError) else str(error)
        raise ModelFileError(
            f"{where} cannot be read.", why=f"{why}.", fix="Check the run with 'phase2 runs verify'."
        ) from error
    return rows


def read_epochs_done(path: Path) -> int:
    """Count the epochs in a ``history.json``; 0 where it is missing or damaged."""
    try:
        return len(read_history(path))
    except ModelFileError:
        return 0


_ROWS = TypeAdapter(Annotated[tuple[EpochRow, ...], Field(fail_fast=True)])
