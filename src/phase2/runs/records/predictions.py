"""Predictions for one part of the data beside the labels (``predictions_test.csv``)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from phase2.errors import ModelFileError
from phase2.output.csv_text import Cell, read_csv, write_csv
from phase2.properties import Property
from phase2.storage.disk.atomic import write_text


@dataclass(frozen=True, slots=True, eq=False)
class PartPredictions:
    """Predictions for the B crystals of one part, beside their labels.

    Attributes:
        properties: The P properties of the columns.
        ids: Ids of the crystals.
        formulas: Their formulas.
        reference: Labels, shape (B, P), float64, physical units, NaN where missing.
        predicted: Predictions, shape (B, P), float64, physical units.
    """

    properties: tuple[Property, ...]
    ids: Sequence[str]
    formulas: Sequence[str]
    reference: NDArray[np.float64]
    predicted: NDArray[np.float64]

    def without_binary(self) -> Self:
        """Return the predictions that are values, not probabilities."""
        kept = [k for k, prop in enumerate(self.properties) if prop.task != "binary"]
        if len(kept) == len(self.properties):
            return self
        return replace(
            self,
            properties=tuple(self.properties[k] for k in kept),
            reference=self.reference[:, kept],
            predicted=self.predicted[:, kept],
        )

    def labelled(self, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return labels and predictions of property ``k`` where both are finite, two arrays of equal length."""
        reference, predicted = self.reference[:, k], self.predicted[:, k]
        present = np.isfinite(reference) & np.isfinite(predicted)
        return reference[present], predicted[present]


def write_predictions(path: Path, part: PartPredictions) -> None:
    """Write a CSV with one row per crystal, all digits, and an empty field for a missing label."""
    text = io.StringIO()
    write_csv(text, [["id", "formula", *_headings(part.properties)], *_rows(part)])
    write_text(path, text.getvalue())


def parse_predictions(text: str, properties: Sequence[Property], *, where: str) -> PartPredictions:
    """Parse the text of a CSV of predictions.

    Args:
        text: What :func:`write_predictions` wrote.
        properties: Properties in the order of the columns.
        where: Name of the file in error messages.

    Raises:
        ModelFileError: It is damaged.
    """
    width = 2 + 2 * len(properties)
    try:
        head, *rows = read_csv(io.StringIO(text, newline=""))
        if any(len(row) != width for row in (head, *rows)):
            raise ValueError(f"not every line has {width} fields")
        numbers = np.array([[float(field or "nan") for field in row[2:]] for row in rows], dtype=np.float64)
    except ValueError as error:
        raise ModelFileError(f"{where} is damaged.", why=f"{error}.", fix="Pull the run again.") from error
    numbers = numbers.reshape(len(rows), width - 2)
    ids, formulas = [row[0] for row in rows], [row[1] for row in rows]
    return PartPredictions(tuple(properties), ids, formulas, numbers[:, ::2], numbers[:, 1::2])


def _rows(part: PartPredictions) -> Iterator[list[Cell]]:
    for crystal, formula, reference, predicted in zip(
        part.ids, part.formulas, part.reference.tolist(), part.predicted.tolist(), strict=True
    ):
        pairs = zip(reference, predicted, strict=True)
        yield [str(crystal), str(formula), *(_field(value) for pair in pairs for value in pair)]


def _headings(properties: Sequence[Property]) -> list[str]:
    units = [f" [{p.unit}]" if p.unit else "" for p in properties]
    return [
        f"{p.key}_{what}{unit}"
        for p, unit in zip(properties, units, strict=True)
        for what in ("reference", "predicted")
    ]


def _field(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124 (NaN is what differs from itself)
