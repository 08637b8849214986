"""Reference and prediction of every crystal of a part (``predictions_test.csv``)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phase2.properties import Property
from phase2.storage.disk.atomic import write_text


@dataclass(frozen=True, slots=True, eq=False)
class PartPredictions:
    """Predictions for n crystals of one part, beside their labels.

    Attributes:
        properties: The properties of the columns, P of them.
        ids: Ids of the crystals, n of them.
        formulas: Their formulas.
        reference: Labels, shape (n, P), float64, physical units, NaN where missing.
        predicted: Predictions, shape (n, P), float64, physical units.
    """

    properties: tuple[Property, ...]
    ids: Sequence[str]
    formulas: Sequence[str]
    reference: NDArray[np.float64]
    predicted: NDArray[np.float64]

    def labelled(self, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Reference and prediction of property ``k`` where both are finite numbers."""
        reference, predicted = self.reference[:, k], self.predicted[:, k]
        present = np.isfinite(reference) & np.isfinite(predicted)
        return reference[present], predicted[present]


def write_predictions(path: Path, part: PartPredictions) -> None:
    """Write a CSV with one row per crystal; every digit is kept, a missing label is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "formula", *_headings(part.properties)])
    for crystal, formula, reference, predicted in zip(
        part.ids, part.formulas, part.reference.tolist(), part.predicted.tolist(), strict=True
    ):
        pairs = zip(reference, predicted, strict=True)
        writer.writerow([crystal, formula, *(_field(value) for pair in pairs for value in pair)])
    write_text(path, text.getvalue())


def _headings(properties: Sequence[Property]) -> list[str]:
    units = [f" [{p.unit}]" if p.unit else "" for p in properties]
    return [
        f"{p.key}_{what}{unit}"
        for p, unit in zip(properties, units, strict=True)
        for what in ("reference", "predicted")
    ]


def _field(value: float) -> str:
    return "" if value != value else repr(value)  # noqa: PLR0124 (NaN is what differs from itself)
