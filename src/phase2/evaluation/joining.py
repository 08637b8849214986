"""Predictions in a file, joined with labelled crystals by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from phase2.errors import DataError
from phase2.evaluation.prediction_file import PredictionFile, refuse_duplicates, shortened
from phase2.output.visible import visible


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Predictions of labelled crystals.

    Attributes:
        values: Predictions, (B, P) float64, NaN for crystals without one.
        found: Which crystals the file has a row of, (B,) bool.
        missing: Crystals that the file has no row of.
        extra: Rows of the file that no labelled crystal has the name of.
    """

    values: NDArray[np.float64]
    found: NDArray[np.bool_]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    def notes(self, file: str) -> list[str]:
        """Count and name what has no partner."""
        found = []
        if self.missing:
            found.append(f"{len(self.missing):,} labelled crystals have no row in {file}: {shortened(self.missing)}")
        if self.extra:
            found.append(f"{len(self.extra):,} rows of {file} are no labelled crystal: {shortened(self.extra)}")
        return found


def join(file: PredictionFile, ids: Sequence[str]) -> Joined:
    """Find the predictions of crystals.

    Args:
        file: The predictions.
        ids: Ids of the crystals.

    Raises:
        DataError: An id of the crystals, or the name of two files without their folder, stands for several rows, or no
            prediction has a partner.
    """
    refuse_duplicates(ids, "The data set")
    row = {name: k for k, name in enumerate(file.names)}
    if file.by_file and not any(name in row for name in ids):
        short = [_stem(name, ids) for name in file.names]
        refuse_duplicates(short, "The predictions, without folders and suffixes,")
        row = {name: k for k, name in enumerate(short)}
    keys = [name if name in row else visible(name).strip() for name in ids]  # as tables write them
    refuse_duplicates(keys, "The data set, as tables write its ids,")
    rows = np.array([row.get(key, -1) for key in keys])
    if not (rows >= 0).any():
        raise DataError(
            "No prediction has the id of a labelled crystal.",
            why=f"The predictions have {shortened(file.names)}, the data set {shortened(ids)}.",
            fix="Give the data set that was predicted, and the ids as they are in it.",
        )
    values = np.where(rows[:, None] >= 0, file.values[rows], np.nan)
    known = set(keys)
    missing = tuple(name for name, found in zip(ids, rows, strict=True) if found < 0)
    return Joined(values, rows >= 0, missing, tuple(name for name in row if name not in known))


def _stem(name: str, ids: Sequence[str]) -> str:
    """Return the name of a file as ids have it: without its folder, and without its suffix where ids have none."""
    path = PurePath(name)
    return path.name if path.name in ids else path.stem
